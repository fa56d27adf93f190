import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { certificate, config, pairwise, well } from './inspections.ts';

test('one that ends within a week, and one that ended', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { certificates: [certificate({ endsInMs: 3.5 * 86_400_000 })] }),
        well('haproxy02', {
          certificates: [
            certificate({
              path: '/b.pem',
              keyFile: '/b.pem',
              endsInMs: -86_400_000,
              problem: { code: 'expired', why: 'it ended', remedy: 'renew it' },
            }),
          ],
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-expires',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /usr/local/etc/ssl/example.net.pem ends 2027-03-01T00:00:00Z, in 3 days'],
        why: 'From then on clients refuse it.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
      {
        id: 'cert-expires',
        severity: 'fail',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: /b.pem ended 2027-03-01T00:00:00Z, 1 day ago'],
        why: 'Clients refuse it.',
        do: [
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /b.pem',
          },
        ],
      },
    ],
  );
});

test('one that ends within the first alarm is a warning', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { certificates: [certificate({ endsInMs: 20 * 86_400_000 })] }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-expires',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: /usr/local/etc/ssl/example.net.pem ends 2027-03-01T00:00:00Z, in 20 days',
        ],
        why: 'From then on clients refuse it.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
    ],
  );
});

test('key and leaf do not match', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({
              problem: {
                code: 'key_mismatch',
                why: 'the key belongs to none of 2 certificates',
                remedy: 'take the key that the leaf was requested with',
              },
            }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-key',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: /usr/local/etc/ssl/example.net.pem: the key belongs to none of 2 certificates',
        ],
        why: 'HAProxy refuses it at its next start, or clients refuse what it serves.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'take the key that the leaf was requested with',
          },
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
    ],
  );
});

test('the chain is out of order, or has what clients do not need', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({
              problem: {
                code: 'chain_order',
                why: 'certificate 2 (CN=R11) did not issue certificate 1 (CN=a)',
                remedy: 'put each issuer right after what it issued',
              },
            }),
          ],
        }),
        well('haproxy02', {
          certificates: [
            certificate({
              warnings: [
                'certificate 3 (CN=root) is a root: clients have it or do not trust it, leave it out',
              ],
            }),
          ],
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-chain',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: /usr/local/etc/ssl/example.net.pem: certificate 2 (CN=R11) did not issue certificate 1 (CN=a)',
        ],
        why: 'HAProxy refuses it at its next start, or clients refuse what it serves.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'put each issuer right after what it issued',
          },
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
      {
        id: 'cert-chain',
        severity: 'warn',
        address: null,
        nodes: ['haproxy02'],
        saw: [
          'haproxy02: /usr/local/etc/ssl/example.net.pem: certificate 3 (CN=root) is a root: clients have it or do not trust it, leave it out',
        ],
        why: 'Some clients refuse such a chain, or get more than they need at every handshake.',
        do: [
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
    ],
  );
});

test('a file that is not there', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({
              mode: 0,
              names: ['*.example.net'],
              endsInMs: null,
              problem: { code: 'missing', why: 'no such file', remedy: 'ls -l /a.pem' },
            }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-file',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /usr/local/etc/ssl/example.net.pem: no such file'],
        why: 'HAProxy refuses it at its next start, or clients refuse what it serves.',
        do: [
          { node: 'haproxy01', file: null, line: null, text: 'ls -l /a.pem' },
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE --as /usr/local/etc/ssl/example.net.pem',
          },
        ],
      },
    ],
  );
});

test('a file that may not be read is not silently well', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({
              mode: 0,
              names: [],
              endsInMs: null,
              problem: {
                code: 'not_read',
                why: 'EACCES: permission denied',
                remedy: 'ls -l /a.pem',
              },
            }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'not-seen',
        severity: 'unknown',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: could not look at /usr/local/etc/ssl/example.net.pem: EACCES: permission denied',
        ],
        why: 'What was not looked at may be well or not.',
        do: [{ node: 'haproxy01', file: null, line: null, text: 'ls -l /a.pem' }],
      },
    ],
  );
});

test('too large for the runtime API of this HAProxy', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({ tooLarge: '18000 bytes with its command, HAProxy 3.0.5 takes 16000' }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-too-large',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: /usr/local/etc/ssl/example.net.pem: 18000 bytes with its command, HAProxy 3.0.5 takes 16000',
        ],
        why: 'It cannot be swapped while HAProxy runs; each renewal needs a reload.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/ssl/example.net.pem',
            line: null,
            text: 'keep leaf, chain and key; take out the root and everything else',
          },
        ],
      },
    ],
  );
});

test('private keys that everybody can read, a separate key file too', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          certificates: [
            certificate({ mode: 0o644, keyFile: '/usr/local/etc/ssl/example.net.pem.key' }),
          ],
          keys: [{ path: '/usr/local/etc/proxyctl/tls/node.key', mode: 0o640 }],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'key-mode',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /usr/local/etc/ssl/example.net.pem.key has mode 0644'],
        why: 'Every account of the host can read the private key.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'chmod o= /usr/local/etc/ssl/example.net.pem.key',
          },
        ],
      },
    ],
  );
});

test('a name in haproxy.conf that no certificate has; a wildcard stands for one label', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({
            hosts: [
              { name: 'gitea.example.net', section: 'frontend web', line: 20 },
              { name: 'a.b.example.net', section: 'frontend web', line: 21 },
            ],
          }),
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'cert-name',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: /usr/local/etc/haproxy.conf:21: frontend web serves a.b.example.net, no certificate has it',
        ],
        why: 'Clients of that name get a certificate for another one and refuse it.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'proxyctl cert push FILE   (a certificate with a.b.example.net)',
          },
        ],
      },
    ],
  );
});

import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { config, pairwise, well } from './inspections.ts';

test('haproxy -c fails: file and line as HAProxy names them', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          check: {
            ok: false,
            command: 'haproxy -c -f /usr/local/etc/haproxy.conf',
            said: [
              "parsing [/usr/local/etc/haproxy.conf:31] : unknown keyword 'sever' in 'backend' section",
            ],
          },
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-config',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          "haproxy01: parsing [/usr/local/etc/haproxy.conf:31] : unknown keyword 'sever' in 'backend' section",
        ],
        why: 'HAProxy runs on with what it has, and does not come back after a restart.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '31',
            text: 'mend what HAProxy names above',
          },
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'haproxy -c -f /usr/local/etc/haproxy.conf',
          },
        ],
      },
    ],
  );
});

test('the stats socket in use is not of level admin', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          level: { path: '/var/run/haproxy.sock', level: 'operator' },
          config: config({
            sockets: [
              {
                path: '/var/run/haproxy.sock',
                level: 'operator',
                line: 3,
                text: 'stats socket /var/run/haproxy.sock mode 660 level operator',
              },
            ],
          }),
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-socket',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /var/run/haproxy.sock has level operator (show cli sockets)'],
        why: 'The agent can neither drain servers nor swap certificates without level admin.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '3',
            text: 'stats socket /var/run/haproxy.sock mode 660 level admin',
          },
          { node: 'haproxy01', file: null, line: null, text: 'service haproxy reload' },
        ],
      },
    ],
  );
});

test('servers without check, on both hosts at once', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({
            servers: [
              {
                backend: 'MINEOS',
                name: 'mineos',
                host: 'fd5e::12',
                port: 443,
                check: false,
                line: 77,
                text: 'server mineos [fd5e::12]:443 ssl verify none',
              },
            ],
          }),
        }),
        well('haproxy02', {
          config: config({
            servers: [
              {
                backend: 'MINEOS',
                name: 'mineos',
                host: 'fd5e::12',
                port: 443,
                check: false,
                line: 77,
                text: 'server mineos [fd5e::12]:443 ssl verify none',
              },
            ],
          }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-no-check',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01: MINEOS/mineos has no check', 'haproxy02: MINEOS/mineos has no check'],
        why: 'HAProxy never notices that one is dead: its share of the requests fails.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '77',
            text: 'server mineos [fd5e::12]:443 ssl verify none check',
          },
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: '77',
            text: 'server mineos [fd5e::12]:443 ssl verify none check',
          },
        ],
      },
    ],
  );
});

test('stick tables without peers: the section to add and each line', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({
            tables: [
              {
                section: 'backend GITEA',
                line: 60,
                text: 'stick-table type ip size 50k expire 30m',
                peers: null,
              },
            ],
          }),
        }),
        well('haproxy02', {
          config: config({
            tables: [
              {
                section: 'backend GITEA',
                line: 60,
                text: 'stick-table type ip size 50k expire 30m',
                peers: null,
              },
            ],
          }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-stick-table',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: [
          'haproxy01: 1 stick-table without peers: backend GITEA',
          'haproxy02: 1 stick-table without peers: backend GITEA',
        ],
        why: 'After a failover every client may land on another server: the table starts empty.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: 'peers pair',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  peer haproxy01 ADDRESS:1024',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  peer haproxy02 ADDRESS:1024',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '60',
            text: 'stick-table type ip size 50k expire 30m peers pair',
          },
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: 'peers pair',
          },
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  peer haproxy01 ADDRESS:1024',
          },
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  peer haproxy02 ADDRESS:1024',
          },
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: '60',
            text: 'stick-table type ip size 50k expire 30m peers pair',
          },
        ],
      },
    ],
  );
});

test('stick tables that name peers nobody defines', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({
            peers: ['pair'],
            tables: [
              {
                section: 'backend GITEA',
                line: 60,
                text: 'stick-table type ip size 50k peers old',
                peers: 'old',
              },
            ],
          }),
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-stick-table',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: 1 stick-table without peers: backend GITEA'],
        why: 'After a failover every client may land on another server: the table starts empty.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '60',
            text: 'stick-table type ip size 50k peers pair',
          },
        ],
      },
    ],
  );
});

test('a drain nobody asked the agents for; one that was asked for is none', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          lowered: [
            { backend: 'WEB', server: 'web1', state: 'drain' },
            { backend: 'WEB', server: 'web2', state: 'maint' },
          ],
        }),
      ],
      pairwise({ wished: ['WEB/web2'] }),
    ),
    [
      {
        id: 'haproxy-drain',
        severity: 'warn',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: WEB/web1 is in drain, and nobody asked the agents for it'],
        why: 'The next reload of HAProxy puts it back into service, on this host only.',
        do: [
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'proxyctl drain WEB/web1 --reason "..."',
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'or, to end it:  proxyctl ready WEB/web1',
          },
        ],
      },
    ],
  );
});

test('a certificate transaction somebody left', (t) => {
  t.deepEqual(
    diagnose(
      [well('haproxy01', { transaction: '/usr/local/etc/ssl/example.net.pem' }), well('haproxy02')],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-transaction',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: a certificate transaction for /usr/local/etc/ssl/example.net.pem is open (show ssl cert)',
        ],
        why: 'HAProxy has one for all: the next renewal fails, or commits what somebody left.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'echo "abort ssl cert /usr/local/etc/ssl/example.net.pem" | nc -U /var/run/haproxy.sock',
          },
        ],
      },
    ],
  );
});

test('the two configurations differ: only names of sections are told', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          config: config({
            digest: 'd2',
            sections: [
              { name: 'global', digest: 'g2' },
              { name: 'backend GITEA', digest: 'b' },
            ],
          }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'haproxy-config-differs',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['only on haproxy02: backend GITEA', 'global differs between haproxy01 and haproxy02'],
        why: 'After a failover clients get another configuration than the one that was tried.',
        do: [
          {
            node: 'haproxy02',
            file: '/usr/local/etc/haproxy.conf',
            line: null,
            text: "make it as haproxy01's, or that one as this, then service haproxy reload",
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'proxyctl config diff',
          },
        ],
      },
    ],
  );
});

test('many servers without check are one finding with one line for all', (t) => {
  const servers = Array.from({ length: 7 }, (_, at) => ({
    backend: 'B',
    name: `s${at}`,
    host: '10.0.0.1',
    port: 80,
    check: false,
    line: 10 + at,
    text: `server s${at} 10.0.0.1:80`,
  }));
  const found = diagnose(
    ['haproxy01', 'haproxy02'].map((node) => well(node, { config: config({ servers }) })),
    pairwise(),
  );
  const saw = '7 servers have no check: B/s0, B/s1, B/s2, B/s3, B/s4, 2 more';
  t.deepEqual(found, [
    {
      id: 'haproxy-no-check',
      severity: 'warn',
      address: null,
      nodes: ['haproxy01', 'haproxy02'],
      saw: [`haproxy01: ${saw}`, `haproxy02: ${saw}`],
      why: 'HAProxy never notices that one is dead: its share of the requests fails.',
      do: ['haproxy01', 'haproxy02'].map((node) => ({
        node,
        file: '/usr/local/etc/haproxy.conf',
        line: 'in defaults, or in the backends that want it',
        text: 'default-server check',
      })),
    },
  ]);
});

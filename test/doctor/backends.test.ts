import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { answers, config, pairwise, probe, refuses, well } from './inspections.ts';

test('localhost is ::1 first, and only 127.0.0.1 listens: every request fails', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          probes: [probe('app', 'localhost', [refuses('::1'), answers('127.0.0.1')])],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'backend-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: APP/app is localhost:8082, which is ::1 and 127.0.0.1',
          'haproxy01: [::1]:8082 does not answer (ECONNREFUSED)',
          'haproxy01: 127.0.0.1:8082 answers',
        ],
        why: 'HAProxy takes the first address a name has, and nobody listens there: every request fails.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '40',
            text: 'server app 127.0.0.1:8082 check',
          },
        ],
      },
    ],
  );
});

test('a name whose first address answers fails only in another order', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          probes: [probe('app', 'localhost', [answers('127.0.0.1'), refuses('::1')])],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'backend-half-listening',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: APP/app is localhost:8082, which is 127.0.0.1 and ::1',
          'haproxy01: 127.0.0.1:8082 answers',
          'haproxy01: [::1]:8082 does not answer (ECONNREFUSED)',
        ],
        why: 'HAProxy takes the first address; when the name is answered in another order, all fails.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '40',
            text: 'server app 127.0.0.1:8082 check',
          },
        ],
      },
    ],
  );
});

test('a pair of lines for both loopback addresses, one of which refuses', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          probes: [
            probe('pfsense_0', '127.0.0.1', [answers('127.0.0.1')]),
            probe('pfsense_1', '::1', [refuses('::1')], {
              line: 41,
              text: 'server pfsense_1 ::1:8082',
            }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'backend-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: APP/pfsense_0: 127.0.0.1:8082 answers',
          'haproxy01: APP/pfsense_1: [::1]:8082 does not answer (ECONNREFUSED)',
        ],
        why: 'One application stands in two lines and listens in one: each second request fails.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '41',
            text: '# server pfsense_1 ::1:8082',
          },
        ],
      },
    ],
  );
});

test('lines NAME_0 and NAME_1 with one port, one of which refuses', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          probes: [
            probe('app_0', '10.1.12.2', [refuses('10.1.12.2')]),
            probe('app_1', 'fd5e::2', [answers('fd5e::2')], { line: 41 }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'backend-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: APP/app_0: 10.1.12.2:8082 does not answer (ECONNREFUSED)',
          'haproxy01: APP/app_1: [fd5e::2]:8082 answers',
        ],
        why: 'One application stands in two lines and listens in one: each second request fails.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '40',
            text: '# server app_0 10.1.12.2:8082 check',
          },
        ],
      },
    ],
  );
});

test('a server name without any address is not silently well', (t) => {
  t.deepEqual(
    diagnose(
      [well('haproxy01', { probes: [probe('app', 'nowhere.test', [])] }), well('haproxy02')],
      pairwise(),
    ),
    [
      {
        id: 'not-seen',
        severity: 'unknown',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: could not look at APP/app: nowhere.test has no address here'],
        why: 'What was not looked at may be well or not.',
        do: [{ node: 'haproxy01', file: null, line: null, text: 'getent hosts nowhere.test' }],
      },
    ],
  );
});

test('all answer, or none does: that is for health checks', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          probes: [
            probe('a', 'localhost', [answers('::1'), answers('127.0.0.1')]),
            probe('b', 'localhost', [refuses('::1'), refuses('127.0.0.1')], { backend: 'B' }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [],
  );
});

test('the backend of the ACME route listens by half', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({ acme: [{ section: 'frontend web', line: 20, backend: 'ACME' }] }),
          probes: [
            probe('acme_0', '127.0.0.1', [answers('127.0.0.1')], { backend: 'ACME' }),
            probe('acme_1', '::1', [refuses('::1')], { backend: 'ACME', line: 41 }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'acme-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: ACME: 127.0.0.1:8082 answers',
          'haproxy01: ACME: [::1]:8082 does not answer (ECONNREFUSED)',
        ],
        why: 'The authority asks several times: a question that meets no listener fails the renewal.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: '41',
            text: '# server acme_1 ::1:8082 check',
          },
        ],
      },
    ],
  );
});

test('a standalone responder that does not run now is no finding', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({ acme: [{ section: 'frontend web', line: 20, backend: 'ACME' }] }),
          probes: [probe('acme', '127.0.0.1', [refuses('127.0.0.1')], { backend: 'ACME' })],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [],
  );
});

test('the configured responder does not answer behind its route', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          config: config({ acme: [{ section: 'frontend web', line: 20, backend: 'ACME' }] }),
          probes: [
            probe('acme', '127.0.0.1', [refuses('127.0.0.1')], { backend: 'ACME', port: 7661 }),
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'acme-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: ACME: 127.0.0.1:7661 does not answer (ECONNREFUSED)'],
        why: 'The authority asks several times: a question that meets no listener fails the renewal.',
        do: [{ node: 'haproxy01', file: null, line: null, text: 'service proxyagent status' }],
      },
    ],
  );
});

test('the responder listens by half', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { responder: [answers('127.0.0.1:7661'), refuses('[::1]:7661')] }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'acme-half-listening',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: 127.0.0.1:7661 answers',
          'haproxy01: [::1]:7661 does not answer (ECONNREFUSED)',
        ],
        why: 'HAProxy may send a question of the authority to the half that nobody listens on.',
        do: [{ node: 'haproxy01', file: null, line: null, text: 'service proxyagent restart' }],
      },
    ],
  );
});

test('the responder listens and nothing is sent there', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          responder: [answers('127.0.0.1:7661'), answers('[::1]:7661')],
          config: config({ plain: { section: 'frontend web', line: 10 } }),
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'acme-route',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: [
          'haproxy01: 127.0.0.1:7661 and [::1]:7661 answer, and no line of /usr/local/etc/haproxy.conf sends /.well-known/acme-challenge/ there',
        ],
        why: 'The authority gets the answer of another backend: no certificate is renewed over HTTP.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'in frontend web',
            text: 'use_backend ACME if { path_beg /.well-known/acme-challenge/ }',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: 'backend ACME',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  server acme1 127.0.0.1:7661',
          },
          {
            node: 'haproxy01',
            file: '/usr/local/etc/haproxy.conf',
            line: 'at the end',
            text: '  server acme2 [::1]:7661',
          },
        ],
      },
    ],
  );
});

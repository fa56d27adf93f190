import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { inspectionFrom } from '../../agent/core/doctor/inspection.ts';
import { pairwise, well } from './inspections.ts';

test('a node that did not answer', (t) => {
  t.deepEqual(
    diagnose(
      [well('haproxy01')],
      pairwise({
        away: [{ node: 'haproxy02', why: 'haproxy02 cannot be reached: connection refused' }],
      }),
    ),
    [
      {
        id: 'peer-away',
        severity: 'unknown',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: haproxy02 cannot be reached: connection refused'],
        why: 'Nothing on that host was looked at, and nothing across the hosts.',
        do: [{ node: 'haproxy02', file: null, line: null, text: 'service proxyagent status' }],
      },
    ],
  );
});

test('clocks apart; a second is not', (t) => {
  t.deepEqual(
    diagnose(
      [well('haproxy01'), well('haproxy02')],
      pairwise({
        clocks: [
          { node: 'haproxy02', offMs: -30_400 },
          { node: 'haproxy03', offMs: 1000 },
        ],
      }),
    ),
    [
      {
        id: 'clock',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: ["haproxy02's clock is 30 s behind haproxy01's"],
        why: 'Of two wishes the one stamped later wins; --until ends, and TLS checks, by the clock.',
        do: [
          { node: 'haproxy02', file: '/etc/rc.conf', line: null, text: 'ntpd_enable="YES"' },
          { node: 'haproxy02', file: null, line: null, text: 'service ntpd start; ntpq -p' },
        ],
      },
    ],
  );
});

test('agents of two releases', (t) => {
  t.deepEqual(
    diagnose([well('haproxy01'), { ...well('haproxy02'), agentVersion: '0.2.0' }], pairwise()),
    [
      {
        id: 'agent-version',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01: proxyagent 0.1.0', 'haproxy02: proxyagent 0.2.0'],
        why: 'They understand each other one release apart; a rule that changed holds on one side only.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'pkg upgrade proxyctl && service proxyagent restart',
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'pkg upgrade proxyctl && service proxyagent restart',
          },
        ],
      },
    ],
  );
});

test('no witness at all, and one that never answers', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { witness: { known: 0, answered: 0 } }),
        well('haproxy02', { witness: { known: 1, answered: 0 } }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'witness-missing',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: policy.witness is empty, and no default gateway was found'],
        why: 'A host that hears nobody cannot tell a dead peer from its own dead cable.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/proxyctl/agent.toml',
            line: 'in [policy]',
            text: 'witness = ["an address on that network that always answers ping"]',
          },
        ],
      },
      {
        id: 'witness-silent',
        severity: 'warn',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: no witness has answered an echo since the agent started'],
        why: 'A host that hears nobody cannot tell a dead peer from its own dead cable.',
        do: [
          {
            node: 'haproxy02',
            file: '/usr/local/etc/proxyctl/agent.toml',
            line: 'in [policy]',
            text: 'witness = ["an address on that network that always answers ping"]',
          },
        ],
      },
    ],
  );
});

test('others that act on CARP', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          others: [
            {
              what: 'devd',
              file: '/usr/local/etc/devd/carp.conf',
              line: 2,
              text: 'match "system" "CARP";',
            },
            { what: 'ifstated', file: '/etc/rc.conf', line: 9, text: 'ifstated_enable="YES"' },
            { what: 'pfsync', file: '/etc/rc.conf', line: 10, text: 'pfsync_enable="YES"' },
          ],
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [
      {
        id: 'other-devd',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /usr/local/etc/devd/carp.conf:2: match "system" "CARP";'],
        why: 'A script that acts on CARP events works against the agents, or twice.',
        do: [
          {
            node: 'haproxy01',
            file: '/usr/local/etc/devd/carp.conf',
            line: '2',
            text: 'take out the block this line stands in',
          },
        ],
      },
      {
        id: 'other-ifstated',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /etc/rc.conf:9: ifstated_enable="YES"'],
        why: 'ifstated(8) moves addresses by its own rules: two automations, one address.',
        do: [
          { node: 'haproxy01', file: '/etc/rc.conf', line: '9', text: '# ifstated_enable="YES"' },
        ],
      },
      {
        id: 'other-pfsync',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: /etc/rc.conf:10: pfsync_enable="YES"'],
        why: 'pfsync(4) demotes this host while it copies states: that moves every address.',
        do: [
          { node: 'haproxy01', file: '/etc/rc.conf', line: '10', text: '# pfsync_enable="YES"' },
        ],
      },
    ],
  );
});

test('what could not be looked at is a finding of its own', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        { ...well('haproxy02'), pf: { cause: 'pfctl: /dev/pf: Permission denied' } },
      ],
      pairwise(),
    ),
    [
      {
        id: 'not-seen',
        severity: 'unknown',
        address: null,
        nodes: ['haproxy02'],
        saw: ["haproxy02: could not look at pf's rules: pfctl: /dev/pf: Permission denied"],
        why: 'What was not looked at may be well or not.',
        do: [],
      },
    ],
  );
});

test('a HAProxy that does not answer is one finding; what it would be asked is none besides', (t) => {
  const cause = 'show cli sockets: nobody listens at /var/run/haproxy.sock; HAProxy is not running';
  const why = 'nobody listens at /var/run/haproxy.sock; HAProxy is not running';
  const down = {
    ...well('haproxy02', { running: { answers: false, why } }),
    level: { cause },
    lowered: { cause },
    transaction: { cause },
  };
  t.deepEqual(diagnose([well('haproxy01'), down], pairwise()), [
    {
      id: 'haproxy-down',
      severity: 'fail',
      address: null,
      nodes: ['haproxy02'],
      saw: [`haproxy02: ${why}`],
      why: 'This host serves nothing, and what HAProxy would be asked was not looked at.',
      do: ['status', 'start'].map((verb) => ({
        node: 'haproxy02',
        file: null,
        line: null,
        text: `service haproxy ${verb}`,
      })),
    },
  ]);
});

test('what has one cause is told once, with the command where a file may not be read', (t) => {
  const cause = "EACCES: permission denied, open '/usr/local/etc/haproxy.conf'";
  const closed = {
    ...well('haproxy02'),
    config: { cause },
    probes: { cause },
    certificates: { cause },
  };
  t.like(diagnose([well('haproxy01'), closed], pairwise()), [
    {
      id: 'not-seen',
      saw: [
        'haproxy02: could not look at haproxy.conf, whether local servers listen and ' +
          `certificate files: ${cause}`,
      ],
      do: [
        {
          node: 'haproxy02',
          file: null,
          line: null,
          text: 'chgrp proxyctl /usr/local/etc/haproxy.conf && chmod g+r /usr/local/etc/haproxy.conf',
        },
      ],
    },
  ]);
});

test('another release answers in another form: every part says so', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        inspectionFrom(
          'haproxy02',
          '{"agentVersion":"0.1.0","carp":{"value":1},"others":{"value":[]}}',
        ),
      ]
        .slice(1)
        .map(({ carp, others }) => ({ ...well('haproxy02'), carp, others })),
      pairwise(),
    ),
    [
      {
        id: 'not-seen',
        severity: 'unknown',
        address: null,
        nodes: ['haproxy02'],
        saw: [
          'haproxy02: could not look at CARP: proxyagent 0.1.0 on haproxy02 answers in another form',
        ],
        why: 'What was not looked at may be well or not.',
        do: [],
      },
    ],
  );
});

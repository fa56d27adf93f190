import test from 'ava';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { carp, counters, pairwise, vhid, well } from './inspections.ts';

test('two healthy hosts: nothing is found', (t) => {
  t.deepEqual(diagnose([well('haproxy01'), well('haproxy02')], pairwise()), []);
});

test('the module is not loaded', (t) => {
  t.deepEqual(
    diagnose(
      [well('haproxy01', { carp: carp({ module: false, vhids: [] }) }), well('haproxy02')],
      pairwise(),
    ),
    [
      {
        id: 'carp-module',
        severity: 'fail',
        address: null,
        nodes: ['haproxy01'],
        saw: ['haproxy01: carp(4) is not loaded (kldstat -q -m carp)'],
        why: 'Without the module this host takes no address, whatever rc.conf says.',
        do: [
          { node: 'haproxy01', file: '/boot/loader.conf', line: null, text: 'carp_load="YES"' },
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'kldload carp && service netif restart',
          },
        ],
      },
    ],
  );
});

test('a base over 240 leaves no order', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', { carp: carp({ vhids: [vhid({ advskew: 254, base: 254 })] }) }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-advskew-base',
        severity: 'warn',
        address: '1@vtnet0',
        nodes: ['haproxy02'],
        saw: ['haproxy02: advskew 254 is the configured one of 1@vtnet0'],
        why: 'Over 240 counts as 240 and is what the agents lower with: no order is left.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'in each ifconfig_vtnet0_alias with vhid 1',
            text: 'advskew 100',
          },
        ],
      },
    ],
  );
});

test('allow is 0 and nobody holds it; a fence of the agent is no finding', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { carp: carp({ allow: false, fenced: true, vhids: [vhid()] }) }),
        well('haproxy02', {
          carp: carp({ allow: false, vhids: [vhid({ advskew: 100, base: 100 })] }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-allow',
        severity: 'fail',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: net.inet.carp.allow is 0, and no lease of the agent holds it'],
        why: 'Every vhid stays INIT here: this host takes nothing over.',
        do: [{ node: 'haproxy02', file: null, line: null, text: 'sysctl net.inet.carp.allow=1' }],
      },
    ],
  );
});

test('demotion that vhids in INIT explain is none; what is left over is', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', { carp: carp({ demotion: 240, vhids: [vhid({ state: 'INIT' })] }) }),
        well('haproxy02', {
          carp: carp({ demotion: 240, vhids: [vhid({ advskew: 100, base: 100 })] }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-demotion',
        severity: 'warn',
        address: null,
        nodes: ['haproxy02'],
        saw: ['haproxy02: net.inet.carp.demotion is 240, 0 is explained (0 vhids in INIT)'],
        why: 'This host stands back for every other: a send error (pf) or a program left it. A set adds.',
        do: [
          { node: 'haproxy02', file: null, line: null, text: 'sysctl net.inet.carp.demotion=-240' },
        ],
      },
    ],
  );
});

test('preempt differs', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({ preempt: false, vhids: [vhid({ advskew: 100, base: 100 })] }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-preempt',
        severity: 'warn',
        address: null,
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01: net.inet.carp.preempt is 1', 'haproxy02: net.inet.carp.preempt is 0'],
        why: 'With 1 a host takes an address from a higher advskew by itself, with 0 it waits; setup writes 0.',
        do: [
          {
            node: 'haproxy01',
            file: '/etc/sysctl.conf',
            line: null,
            text: 'net.inet.carp.preempt=0',
          },
          { node: 'haproxy01', file: null, line: null, text: 'sysctl net.inet.carp.preempt=0' },
        ],
      },
    ],
  );
});

test('advbase differs: the line of rc.conf with advbase put in', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({
            rc: [
              {
                file: '/etc/rc.conf',
                line: 7,
                end: 7,
                interface: 'vtnet0',
                vhid: 1,
                text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 100 pass PASSWORD alias 10.1.60.200/32"',
              },
            ],
            vhids: [vhid({ advbase: 2, advskew: 100, base: 100 })],
          }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-advbase',
        severity: 'warn',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01: 1@vtnet0 has advbase 1', 'haproxy02: 1@vtnet0 has advbase 2'],
        why: 'advbase weighs more than advskew: the order of the hosts is not the configured one.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: '7',
            text: 'ifconfig_vtnet0_alias0="inet vhid 1 advbase 1 advskew 100 pass PASSWORD alias 10.1.60.200/32"',
          },
        ],
      },
    ],
  );
});

test('equal base advskew: the line of rc.conf with another one', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({
            rc: [
              {
                file: '/etc/rc.conf',
                line: 7,
                end: 7,
                interface: 'vtnet0',
                vhid: 1,
                text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 0 pass PASSWORD alias 10.1.60.200/32"',
              },
            ],
            vhids: [vhid()],
          }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-advskew-equal',
        severity: 'warn',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01: 1@vtnet0 has advskew 0', 'haproxy02: 1@vtnet0 has advskew 0'],
        why: 'No host is the preferred one: who answers last yields, and it changes by chance.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: '7',
            text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 100 pass PASSWORD alias 10.1.60.200/32"',
          },
        ],
      },
    ],
  );
});

test('a lowered advskew is not the base: no finding', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01', {
          carp: carp({ vhids: [vhid({ advskew: 254, base: 0, state: 'MASTER' })] }),
        }),
        well('haproxy02'),
      ],
      pairwise(),
    ),
    [],
  );
});

test('the address lists differ', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({ vhids: [vhid({ advskew: 100, base: 100, vips: ['10.1.60.200'] })] }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-addresses',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: [
          'haproxy01: 1@vtnet0 carries 10.1.60.200, fd5e:d1c2:c9de:60::200',
          'haproxy02: 1@vtnet0 carries 10.1.60.200',
        ],
        why: 'The list is part of what adverts are signed with: no host believes the other, both answer.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'behind the other aliases, the next number for N',
            text: 'ifconfig_vtnet0_aliasN="inet6 vhid 1 advskew 100 pass PASSWORD alias fd5e:d1c2:c9de:60::200/128"',
          },
        ],
      },
    ],
  );
});

test('two hosts say MASTER', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({ vhids: [vhid({ advskew: 100, base: 100, state: 'MASTER' })] }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-both-master',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: ['haproxy01 and haproxy02 say MASTER for 1@vtnet0'],
        why: 'Two hosts answer for one address: connections break at random.',
        do: [
          {
            node: 'haproxy01',
            file: null,
            line: null,
            text: 'netstat -s -p carp; pfctl -sr | grep -i carp',
          },
          {
            node: 'haproxy02',
            file: null,
            line: null,
            text: 'netstat -s -p carp; pfctl -sr | grep -i carp',
          },
        ],
      },
    ],
  );
});

test('a vhid that one host alone has', (t) => {
  t.deepEqual(
    diagnose([well('haproxy01'), well('haproxy02', { carp: carp({ vhids: [] }) })], pairwise()),
    [
      {
        id: 'carp-missing',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy02'],
        saw: ['haproxy02: no vhid 1; haproxy01 has 1@vtnet0'],
        why: 'Nobody takes the address over when that host dies.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'behind the other aliases, the next number for N',
            text: 'ifconfig_vtnet0_aliasN="inet vhid 1 advskew 100 pass PASSWORD alias 10.1.60.200/32"',
          },
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'behind the other aliases, the next number for N',
            text: 'ifconfig_vtnet0_aliasN="inet6 vhid 1 advskew 100 pass PASSWORD alias fd5e:d1c2:c9de:60::200/128"',
          },
        ],
      },
    ],
  );
});

test('one VIP under two vhids', (t) => {
  t.deepEqual(
    diagnose(
      [
        well('haproxy01'),
        well('haproxy02', {
          carp: carp({ vhids: [vhid({ address: '2@vtnet0', vhid: 2, advskew: 100, base: 100 })] }),
          counters: counters({ badVhid: 3 }),
        }),
      ],
      pairwise(),
    ),
    [
      {
        id: 'carp-vhid',
        severity: 'fail',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: [
          'haproxy01: 10.1.60.200, fd5e:d1c2:c9de:60::200 under vhid 1',
          'haproxy02: 10.1.60.200, fd5e:d1c2:c9de:60::200 under vhid 2',
        ],
        why: 'Each host only hears adverts of its own vhid: both take the address.',
        do: [
          {
            node: 'haproxy02',
            file: '/etc/rc.conf',
            line: 'in each ifconfig_vtnet0_alias with vhid 2',
            text: 'vhid 1',
          },
        ],
      },
    ],
  );
});

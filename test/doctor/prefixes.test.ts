import test from 'ava';
import { vhidPrefixes } from '../../agent/carp/ifconfig.ts';
import { diagnose } from '../../agent/core/doctor/diagnose.ts';
import { carp, pairwise, vhid, well } from './inspections.ts';

const PREFIXES = ['10.1.60.200/24', 'fd5e:d1c2:c9de:60::200/128'];

test('a virtual address with another prefix length on one host: the line of rc.conf to change', (t) => {
  const rc = [
    {
      file: '/etc/rc.conf',
      line: 7,
      end: 7,
      interface: 'vtnet0',
      vhid: 1,
      text: 'ifconfig_vtnet0_alias0="inet vhid 1 advskew 100 pass PASSWORD alias 10.1.60.200/24"',
    },
  ];
  const vhids = [vhid({ advskew: 100, base: 100, prefixes: PREFIXES })];
  t.deepEqual(
    diagnose([well('haproxy01'), well('haproxy02', { carp: carp({ vhids, rc }) })], pairwise()),
    [
      {
        id: 'carp-prefix',
        severity: 'warn',
        address: '1@vtnet0',
        nodes: ['haproxy01', 'haproxy02'],
        saw: [
          'haproxy01: 10.1.60.200 has prefix length 32',
          'haproxy02: 10.1.60.200 has prefix length 24',
        ],
        why: "The address brings a route along on one host only: it can shadow the host's own.",
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

test('prefix lengths as ifconfig prints them, of the addresses with a vhid alone', (t) => {
  const text = `vtnet0: flags=1008943<UP,BROADCAST> metric 0 mtu 1500
\tinet 10.1.60.201 netmask 0xffffff00 broadcast 10.1.60.255
\tinet 10.1.60.200 netmask 0xffffff00 broadcast 10.1.60.255 vhid 1
\tinet6 fd5e:d1c2:c9de:60::200 prefixlen 128 vhid 1
vlan12: flags=1008943<UP,BROADCAST> metric 0 mtu 1500
\tinet 192.0.2.7/32 broadcast 192.0.2.7 vhid 20
`;
  t.deepEqual(vhidPrefixes(text), [
    { interface: 'vtnet0', vhid: 1, prefix: '10.1.60.200/24' },
    { interface: 'vtnet0', vhid: 1, prefix: 'fd5e:d1c2:c9de:60::200/128' },
    { interface: 'vlan12', vhid: 20, prefix: '192.0.2.7/32' },
  ]);
});

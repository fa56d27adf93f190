import test from 'ava';
import { changeOf } from '../../ctl/setup/host.ts';
import { mergePfConf } from '../../ctl/setup/pf-conf.ts';
import { mergeRcConf, remarksOn, settingsIn } from '../../ctl/setup/rc-conf.ts';
import { mergeLoaderConf, mergeSysctlConf } from '../../ctl/setup/small-files.ts';
import { fixture } from '../fixture.ts';

const wanted = (node: string) => fixture(`setup/golden/${node}/etc/rc.conf`);
const PASS = 'pass very-secure-passwor alias';

/** rc.conf of a host that was set up by hand: a typing error, a gap, an alias of its own, DHCP off. */
const BY_HAND = `clear_tmp_enable="YES"
hostname="haproxy02.example.net"
ifconfig_vnet0="inet 10.1.60.202/24 mtu 9000"   # jumbo
defaultrouter="10.1.60.254"
ifconfig_vnet0_ipv6="inet6 2003:abcd:ef12:3460:420:99ff:feeb:2969/64"
ifconfig_vnet0_alias0="inet6 fd5e:d1c2:c9de:60:420:99ff:feeb:2969/64"
ifconfig_vnet0_alias1="inet vhid 1 advskew 100 pass old alias 10.1.60.200/32"
ifconfig_vnet0_alias2="inet6 vhid 1 advskew 1ß0 pass old alias fd5e:d1c2:c9de:60::200/128"
ifconfig_vnet0_alias4="inet 10.1.60.240/32"
sshd_enable="YES"
`;

test('what is there stays, ours is put right, and the aliases count from 0 without gaps', (t) => {
  t.is(
    mergeRcConf(BY_HAND, settingsIn(wanted('haproxy02'))),
    `clear_tmp_enable="YES"
hostname="haproxy02.example.net"
ifconfig_vnet0="inet 10.1.60.202/24 mtu 9000"   # jumbo
defaultrouter="10.1.60.1"
ifconfig_vnet0_ipv6="inet6 2003:abcd:ef12:3460:420:99ff:feeb:2969/64"
ifconfig_vnet0_alias0="inet6 fd5e:d1c2:c9de:60:420:99ff:feeb:2969/64"
ifconfig_vnet0_alias1="inet 10.1.60.240/32"
ifconfig_vnet0_alias2="inet vhid 1 advskew 100 ${PASS} 10.1.60.200/32"
ifconfig_vnet0_alias3="inet6 vhid 1 advskew 100 ${PASS} fd5e:d1c2:c9de:60::200/128"
sshd_enable="YES"
ipv6_defaultrouter="2003:abcd:ef12:3460::1"
pf_enable="YES"
pflog_enable="YES"
haproxy_enable="YES"
proxyagent_enable="YES"
`,
  );
});

test('merged twice is merged once, from nothing too', (t) => {
  for (const node of ['haproxy01', 'haproxy02'])
    for (const before of ['', BY_HAND]) {
      const once = mergeRcConf(before, settingsIn(wanted(node)));
      t.is(mergeRcConf(once, settingsIn(wanted(node))), once);
    }
  t.is(mergeRcConf('', settingsIn(wanted('haproxy01'))), wanted('haproxy01'));
});

test("another vhid's aliases are not ours", (t) => {
  const other = 'ifconfig_vnet0_alias0="inet vhid 7 advskew 0 pass x alias 10.1.60.207/32"\n';
  const lines = mergeRcConf(other, settingsIn(wanted('haproxy01'))).split('\n');
  t.deepEqual(
    lines.filter((line) => line.includes('_alias')),
    [
      'ifconfig_vnet0_alias0="inet vhid 7 advskew 0 pass x alias 10.1.60.207/32"',
      'ifconfig_vnet0_alias1="inet6 fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"',
      `ifconfig_vnet0_alias2="inet vhid 1 advskew 0 ${PASS} 10.1.60.200/32"`,
      `ifconfig_vnet0_alias3="inet6 vhid 1 advskew 0 ${PASS} fd5e:d1c2:c9de:60::200/128"`,
    ],
  );
});

const carpLines = (before: string): string[] =>
  mergeRcConf(before, settingsIn(wanted('haproxy01')))
    .split('\n')
    .filter((line) => /^\s*(?:ifconfig_|inet)/.test(line));
const OWN = [
  `inet vhid 1 advskew 0 ${PASS} 10.1.60.200/32`,
  `inet6 vhid 1 advskew 0 ${PASS} fd5e:d1c2:c9de:60::200/128`,
];

test('our vhid leaves the one variable of all aliases, IPv4 and IPv6; the others stay in it', (t) => {
  const own = [
    'ifconfig_vnet0="inet 10.1.60.201/24"',
    'ifconfig_vnet0_ipv6="inet6 2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64"',
  ];
  const one =
    'ifconfig_vnet0_aliases="inet vhid 1 advskew 5 pass before 10.1.60.200/32 ' +
    'inet vhid 9 pass other 10.1.60.209/32 inet6 vhid 1 pass before fd5e:d1c2:c9de:60::200/128 ' +
    'inet6 fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"';
  const lines = carpLines([...own, one, ''].join('\n'));
  t.deepEqual(lines.slice(0, 2), own);
  t.deepEqual(lines.filter((line) => line.includes('alias')).sort(), [
    `ifconfig_vnet0_alias0="${OWN[0]}"`,
    `ifconfig_vnet0_alias1="${OWN[1]}"`,
    'ifconfig_vnet0_aliases="inet vhid 9 pass other 10.1.60.209/32 inet6 fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"',
  ]);
});

test('values over several lines are read whole, and nothing of them is left behind', (t) => {
  const before = `hostname="haproxy01"
ifconfig_vnet0="inet 10.1.60.201/24 \\
\tmtu 1500"
ifconfig_vnet0_ipv6="inet6 2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64"
ifconfig_vnet0_aliases="\\
\tinet vhid 1 advskew 0 pass before 10.1.60.200/32 \\
\tinet6 vhid 1 pass before fd5e:d1c2:c9de:60::200/128"
ifconfig_vnet0_alias0="inet6 \\
  fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"
`;
  t.deepEqual(carpLines(before), [
    'ifconfig_vnet0="inet 10.1.60.201/24 mtu 1500"',
    'ifconfig_vnet0_ipv6="inet6 2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64"',
    'ifconfig_vnet0_alias0="inet6 fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64"',
    `ifconfig_vnet0_alias1="${OWN[0]}"`,
    `ifconfig_vnet0_alias2="${OWN[1]}"`,
  ]);
});

test("another interface's aliases, and what only a shell can tell, stay letter by letter", (t) => {
  const kept = [
    'ifconfig_em1_aliases="inet vhid 1 pass x 192.0.2.1/32 \\',
    '  inet vhid 2 pass y 192.0.2.2/32"',
    'ifconfig_vnet0_aliases+=" inet vhid 1 pass x 10.1.60.200/32"',
  ];
  const merged = mergeRcConf(`${kept.join('\n')}\n`, settingsIn(wanted('haproxy01')));
  t.true(merged.includes(kept.join('\n')));
  t.deepEqual(remarksOn(kept.join('\n')), [
    'line 3: what ifconfig_vnet0_aliases is only a shell can tell; it must not set a vhid of this pair',
  ]);
});

test('mistakes that are there are named with their line', (t) => {
  t.deepEqual(remarksOn(BY_HAND), [
    'line 8: advskew 1ß0 is no number; ifconfig would read 1',
    'ifconfig_vnet0_alias3 is missing: rc stops there, and the aliases behind it are not set',
  ]);
  t.deepEqual(remarksOn(wanted('haproxy01')), []);
});

test('loader.conf and sysctl.conf get one line, in the place of the one that says otherwise', (t) => {
  t.is(mergeLoaderConf('a="1"\n'), 'a="1"\ncarp_load="YES"\n');
  t.is(mergeLoaderConf('carp_load="NO"\nb="2"\n'), 'carp_load="YES"\nb="2"\n');
  t.is(mergeSysctlConf('net.inet.carp.preempt=1\n', false), 'net.inet.carp.preempt=0\n');
  t.is(mergeSysctlConf('', true), 'net.inet.carp.preempt=1\n');
});

test("of somebody else's pf.conf only the marked block is ours", (t) => {
  const ours = fixture('setup/golden/haproxy01/etc/pf.conf');
  const own = 'set skip on lo\nblock in all\npass in on em1\n';
  const once = mergePfConf(own, ours);
  t.true(once.startsWith(`${own}\n# BEGIN proxyctl setup\n`));
  t.false(once.includes('block in log all'));
  t.is(mergePfConf(once, ours), once);
  const edited = once.replace('port 10000', 'port 1');
  t.is(mergePfConf(`${edited}pass in on em2\n`, ours), `${once}pass in on em2\n`);
  t.is(mergePfConf(ours.replace('port 10000', 'port 1'), ours), ours);
});

test('another CARP password than the one in force is remarked, a shorter one with what it leaves', (t) => {
  const path = 'etc/rc.conf';
  const text = wanted('haproxy01');
  const remarks = (password: string) =>
    changeOf(
      { path, text, mode: 0o600 },
      { text: `${text.replaceAll('very-secure-passwor', password)}#\n`, mode: 0o644 },
    )?.remarks;
  const gets =
    'gets another CARP password: while the hosts differ, both take the addresses; see runbooks/carp-password.md of the guide';
  t.deepEqual(remarks('very-secure-passwor'), []);
  t.deepEqual(remarks('older'), [gets]);
  t.deepEqual(remarks('an-older-and-longer-password'), [
    `${gets}; shorter than the old one: only a restart of the interface clears the old end in the kernel`,
  ]);
});

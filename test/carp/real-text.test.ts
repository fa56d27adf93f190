import test from 'ava';
import { parseIfconfig } from '../../agent/carp/ifconfig.ts';
import { parseCarpStatistics } from '../../agent/carp/netstat.ts';
import { parseGateways } from '../../agent/witness/gateways.ts';
import { fixture } from '../fixture.ts';

/** Interface, vhid, state, advskew and addresses: what the agent goes by. */
const vhidsIn = (name: string) =>
  parseIfconfig(fixture(`freebsd/${name}`)).carp.map(
    ({ interface: on, vhid, state, advskew, vips }) =>
      [`${vhid}@${on}`, state, advskew, ...vips].join(' '),
  );

test('11.x: the carp line is the last of the interface', (t) => {
  t.deepEqual(vhidsIn('ifconfig-11-vtnet.txt'), ['1@vtnet0 MASTER 0 10.0.0.230']);
});

test('10.x: a VLAN on a lagg, three vhids, addresses with a space at their end', (t) => {
  t.deepEqual(vhidsIn('ifconfig-10-vlan-on-lagg.txt'), [
    '14@vlan316 MASTER 50 10.30.16.14',
    '15@vlan316 BACKUP 100 10.30.16.15',
    '33@vlan316 MASTER 50 10.30.16.33',
  ]);
});

test('12.x: two interfaces, each family on a vhid of its own', (t) => {
  t.deepEqual(vhidsIn('ifconfig-12-two-families.txt'), [
    '1@vtnet3 MASTER 100 192.168.10.254',
    '2@vtnet3 MASTER 100 2001:db8:10::fe',
    '3@vtnet4 MASTER 100 2.2.2.254',
    '4@vtnet4 MASTER 100 2001:db8:2:2:2::fe',
  ]);
});

test('peers on the line itself, as snapshots before 14.0 printed them', (t) => {
  const head = 'em0: flags=8943<UP> metric 0 mtu 1500\n';
  const [one] = parseIfconfig(
    `${head}\tcarp: BACKUP vhid 1 advbase 1 advskew 0, peer 10.0.0.2\n`,
  ).carp;
  t.like(one, { state: 'BACKUP', peer: '10.0.0.2', peer6: null });
});

test('a vhid that is not the last word of an address line', (t) => {
  const text = `wg0: flags=80c1<UP> metric 0 mtu 1420
\tinet6 fd5e::200 prefixlen 128 vhid 7 pltime infty vltime infty
\tcarp: INIT vhid 7 advbase 1 advskew 0
`;
  t.deepEqual(parseIfconfig(text).carp[0]?.vips, ['fd5e::200']);
});

test('netstat: every counter by name, one and many', (t) => {
  t.deepEqual(parseCarpStatistics(fixture('freebsd/netstat-s-carp-13.txt')), {
    received4: 835_247,
    received6: 83_533,
    badTtl: 1,
    badChecksum: 2,
    badVersion: 1,
    tooShort: 0,
    badAuth: 7,
    unknownVhid: 50,
    badAddressList: 3,
    sent4: 91,
    sent6: 1,
    sendFailed: 0,
  });
  // Without the module nothing is printed; other protocols' counters are none of CARP's.
  t.is(parseCarpStatistics(''), null);
  t.is(parseCarpStatistics('tcp:\n\t835247 packets received (IPv4)\n'), null);
});

test('13.2: the default gateway out of a whole routing table', (t) => {
  t.deepEqual(parseGateways(fixture('freebsd/netstat-rn-13.2.txt')), ['10.0.0.1']);
});

test('gateways: both families, with scope, and none of what is no gateway', (t) => {
  const text = `Routing tables

Internet:
Destination        Gateway            Flags     Netif Expire
default            10.1.60.1          UGS      vtnet0
default            link#3             US         tun0
default-net        10.9.9.9           UGS      vtnet0
10.1.60.0/24       10.1.60.7          UGS      vtnet0

Internet6:
Destination                       Gateway                       Flags     Netif Expire
default                           fe80::1%vtnet0                UGS      vtnet0
::/0                              fd5e::1                       UG       vtnet0
::/96                             ::1                           URS         lo0
`;
  t.deepEqual(parseGateways(text), ['10.1.60.1', 'fe80::1%vtnet0', 'fd5e::1']);
  t.deepEqual(parseGateways(''), []);
});

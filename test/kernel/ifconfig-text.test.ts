import test from 'ava';
import { parseIfconfig } from '../../agent/carp/ifconfig.ts';
import type { Host } from './host.ts';
import { ifconfig } from './ifconfig.ts';
import { ifconfigText } from './ifconfig-text.ts';
import { newKernel, type Release } from './kernel.ts';

const start = (release: Release): Host => ({
  kernel: newKernel(release, false, ['vtnet0', 'em0.10']),
  interfaces: [
    {
      name: 'vtnet0',
      mac: '58:9c:fc:00:01:01',
      addresses: [
        { address: '192.0.2.1', length: 24 },
        { address: '2001:db8::1', length: 64 },
      ],
    },
    {
      name: 'em0.10',
      mac: '58:9c:fc:00:02:01',
      addresses: [{ address: '198.51.100.1', length: 25 }],
    },
  ],
  module: true,
  keys: {},
});

/** Two interfaces, three vhids, one of each state. */
function furnished(release: Release): Host {
  const lines = [
    'vtnet0 vhid 1 pass secret 192.0.2.200/32',
    'vtnet0 inet6 vhid 1 2001:db8::200/128',
    'vtnet0 vhid 1 state master',
    'vtnet0 vhid 2 advbase 2 advskew 100 192.0.2.201/32',
    'em0.10 vhid 1 advskew 254',
  ];
  return lines.reduce((host, line) => ifconfig(host, line.split(' '), 0).host, start(release));
}

const VTNET0 = (flags: string, peers: string) => `vtnet0: flags=${flags} metric 0 mtu 1500
\tether 58:9c:fc:00:01:01
\tinet 192.0.2.1 netmask 0xffffff00 broadcast 192.0.2.255
\tinet6 2001:db8::1 prefixlen 64
\tinet 192.0.2.200 netmask 0xffffffff broadcast 192.0.2.200 vhid 1
\tinet6 2001:db8::200 prefixlen 128 vhid 1
\tinet 192.0.2.201 netmask 0xffffffff broadcast 192.0.2.201 vhid 2
\tcarp: MASTER vhid 1 advbase 1 advskew 0
${peers}\tcarp: BACKUP vhid 2 advbase 2 advskew 100
${peers}\tmedia: Ethernet 10Gbase-T <full-duplex>
\tstatus: active
\tnd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>
`;
const PEERS = '\t      peer 224.0.0.18 peer6 ff02::12\n';
const OLD = '8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST>';
const NEW = '1008943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST,LOWER_UP>';

test('13.x prints carp lines alone, 14.0 and later the peers below each', (t) => {
  t.is(ifconfigText(furnished(13), 'vtnet0'), VTNET0(OLD, ''));
  for (const release of [14, 15] as const)
    t.is(ifconfigText(furnished(release), 'vtnet0'), VTNET0(NEW, PEERS));
});

test('the agent reads what this prints, to the same values, on every release', (t) => {
  for (const release of [13, 14, 15] as const) {
    const host = furnished(release);
    const read = parseIfconfig(ifconfigText(host));
    t.deepEqual(
      read.carp,
      host.kernel.vhids.map((one) => ({
        interface: one.interface,
        vhid: one.vhid,
        state: one.state,
        advbase: one.advbase,
        advskew: one.advskew,
        vips: [...one.vips4, ...one.vips6],
        peer: release === 13 ? null : one.peer,
        peer6: release === 13 ? null : one.peer6,
      })),
    );
    t.deepEqual(
      read.carp.map(({ interface: name, vhid, state }) => `${vhid}@${name} ${state}`),
      ['1@vtnet0 MASTER', '2@vtnet0 BACKUP', '1@em0.10 INIT'],
    );
    t.deepEqual(read.vrrp, []);
  }
});

test('the agent reads unicast peers', (t) => {
  const line = 'vtnet0 vhid 1 peer 192.0.2.2 peer6 fe80::2';
  const { host } = ifconfig(furnished(15), line.split(' '), 0);
  const [first] = parseIfconfig(ifconfigText(host)).carp;
  t.deepEqual([first?.peer, first?.peer6], ['192.0.2.2', 'fe80::2']);
});

test('a command line without words prints: all interfaces, or the one named', (t) => {
  const host = furnished(14);
  t.is(ifconfig(host, [], 0).stdout, ifconfigText(host));
  t.is(ifconfig(host, ['em0.10'], 0).stdout, ifconfigText(host, 'em0.10'));
});

test('a password shows with -k alone, and is nothing to the agent', (t) => {
  const host = furnished(14);
  t.false(ifconfigText(host).includes('secret'));
  const { stdout } = ifconfig(host, ['-k', 'vtnet0'], 0);
  t.true(stdout.includes('\tcarp: MASTER vhid 1 advbase 1 advskew 0 key "secret"\n'));
  t.true(stdout.includes('\tcarp: BACKUP vhid 2 advbase 2 advskew 100\n'), 'no password, no key');
  t.deepEqual(parseIfconfig(stdout), parseIfconfig(ifconfigText(host, 'vtnet0')));
});

test('flags and status follow the interface: vhids make it promiscuous, down and no carrier show', (t) => {
  const heads = (host: Host) =>
    ifconfigText(host, 'em0.10')
      .split('\n')
      .filter((line) => /flags=|status/.test(line))
      .map((line) => line.trim());
  const bare = start(14);
  t.deepEqual(heads(bare), [
    'em0.10: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500',
    'status: active',
  ]);
  const dark = { ...bare, kernel: { ...bare.kernel, links: { 'em0.10': false } } };
  t.deepEqual(heads(dark), [
    'em0.10: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500',
    'status: no carrier',
  ]);
  const { host: down } = ifconfig(bare, ['em0.10', 'down'], 0);
  t.is(
    heads(down)[0],
    'em0.10: flags=1008802<BROADCAST,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500',
  );
});

test('without carp.ko no carp line and no vhid is printed', (t) => {
  const text = ifconfigText({ ...furnished(14), module: false });
  t.false(/carp|vhid|peer|PROMISC/.test(text));
  const { carp, vrrp } = parseIfconfig(text);
  t.deepEqual({ carp, vrrp }, { carp: [], vrrp: [] });
});

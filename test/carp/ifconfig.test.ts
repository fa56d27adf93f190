import test from 'ava';
import { IfconfigError, parseIfconfig, type InterfacesReading } from '../../agent/carp/ifconfig.ts';

// As a FreeBSD 14 host in a VNET jail printed it (interface vnet0, epair).
const FREEBSD_14 = `vnet0: flags=1008943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
	options=8<VLAN_MTU>
	ether 02:3a:f8:fd:ed:0b
	inet 10.1.60.201 netmask 0xffffff00 broadcast 10.1.60.255
	inet 10.1.60.200 netmask 0xffffffff broadcast 10.1.60.200 vhid 1
	inet6 fe80::3a:f8ff:fefd:ed0b%vnet0 prefixlen 64 scopeid 0x38
	inet6 2003:abcd:ef12:3460:d:22ff:fe50:3d0b prefixlen 64
	inet6 fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b prefixlen 64
	inet6 fd5e:d1c2:c9de:60::200 prefixlen 128 vhid 1
	groups: epair
	carp: BACKUP vhid 1 advbase 1 advskew 0
	      peer 224.0.0.18 peer6 ff02::12
	media: Ethernet 10Gbase-T (10Gbase-T <full-duplex>)
	status: active
	nd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>
`;

// After carp_status() and in_status() of sbin/ifconfig, 13.x: no peer line, carp before media.
const FREEBSD_13 = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> metric 0 mtu 16384
	options=680003<RXCSUM,TXCSUM,LINKSTATE,RXCSUM_IPV6,TXCSUM_IPV6>
	inet6 ::1 prefixlen 128
	inet6 fe80::1%lo0 prefixlen 64 scopeid 0x2
	inet 127.0.0.1 netmask 0xff000000
	groups: lo
	nd6 options=21<PERFORMNUD,AUTO_LINKLOCAL>
em0: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> metric 0 mtu 1500
	ether 08:00:27:11:22:33
	carp: MASTER vhid 1 advbase 1 advskew 100
	carp: INIT vhid 7 advbase 2 advskew 240
	inet 192.0.2.2 netmask 0xffffff00 broadcast 192.0.2.255
	inet 192.0.2.10 netmask 0xffffffff broadcast 192.0.2.10 vhid 1
	inet 192.0.2.11 netmask 0xffffffff broadcast 192.0.2.11 vhid 1
	media: Ethernet autoselect (1000baseT <full-duplex>)
	status: active
`;

// After carp_status() of 15.0: carpver 3 is printed as vrrp, without advskew and peers.
const FREEBSD_15 = `vtnet3: flags=1008943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500
	inet 192.168.1.1 netmask 0xffffff00 broadcast 192.168.1.255
	inet 192.168.1.254 netmask 0xffffffff broadcast 192.168.1.254 vhid 3
	inet 192.168.1.253 netmask 0xffffffff broadcast 192.168.1.253 vhid 4
	vrrp: MASTER vrid 3 prio 101 interval 100
	carp: BACKUP vhid 4 advbase 1 advskew 0
	      peer 192.168.1.2 peer6 ff02::12
	status: active
`;

const line = (change: object) => ({
  interface: 'em0',
  vhid: 1,
  state: 'BACKUP',
  advbase: 1,
  advskew: 0,
  vips: [],
  peer: null,
  peer6: null,
  ...change,
});

/** An interface with these lines. */
const block = (name: string, ...lines: string[]): string =>
  [
    `${name}: flags=8943<UP,BROADCAST> metric 0 mtu 1500`,
    ...lines.map((one) => `\t${one}`),
    '',
  ].join('\n');

/** The vhids alone. */
function vhids(text: string): Pick<InterfacesReading, 'carp' | 'vrrp'> {
  const { carp, vrrp } = parseIfconfig(text);
  return { carp, vrrp };
}

test("a host's own addresses, with their length in every form, are those without a vhid", (t) => {
  const forms = block(
    'em1',
    'inet 10.0.0.1/30 broadcast 10.0.0.3',
    'inet 10.0.1.1 netmask 0xfffffe00 broadcast 10.0.1.255',
    'inet 10.0.2.1 --> 10.0.2.2 netmask 0xffffffff',
    'inet6 fe80::1%em1/64 scopeid 0x1',
    'inet6 fd5e::9/128 vhid 3',
  );
  t.deepEqual(parseIfconfig(FREEBSD_14 + forms).interfaces, [
    {
      interface: 'vnet0',
      addresses: [
        '10.1.60.201/24',
        'fe80::3a:f8ff:fefd:ed0b%vnet0/64',
        '2003:abcd:ef12:3460:d:22ff:fe50:3d0b/64',
        'fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b/64',
      ],
    },
    {
      interface: 'em1',
      addresses: ['10.0.0.1/30', '10.0.1.1/23', '10.0.2.1/32', 'fe80::1%em1/64'],
    },
  ]);
});

test('14.x: both families on one vhid, multicast peers', (t) => {
  t.deepEqual(vhids(FREEBSD_14), {
    carp: [
      line({
        interface: 'vnet0',
        vips: ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'],
        peer: '224.0.0.18',
        peer6: 'ff02::12',
      }),
    ],
    vrrp: [],
  });
});

test('13.x: no peers are printed, several vhids on one interface, one without address', (t) => {
  t.deepEqual(vhids(FREEBSD_13), {
    carp: [
      line({ state: 'MASTER', advskew: 100, vips: ['192.0.2.10', '192.0.2.11'] }),
      line({ vhid: 7, state: 'INIT', advbase: 2, advskew: 240 }),
    ],
    vrrp: [],
  });
});

test('15.x: a vrrp line beside a carp line, each with its addresses', (t) => {
  t.deepEqual(vhids(FREEBSD_15), {
    carp: [
      line({
        interface: 'vtnet3',
        vhid: 4,
        vips: ['192.168.1.253'],
        peer: '192.168.1.2',
        peer6: 'ff02::12',
      }),
    ],
    vrrp: [
      {
        interface: 'vtnet3',
        vrid: 3,
        state: 'MASTER',
        priority: 101,
        interval: 100,
        vips: ['192.168.1.254'],
      },
    ],
  });
});

test('the whole output of a host: interfaces one after the other, each with its own vhids', (t) => {
  const seen = parseIfconfig(FREEBSD_13 + FREEBSD_14 + FREEBSD_15);
  t.deepEqual(
    seen.carp.map((one) => [one.interface, one.vhid, one.vips.length]),
    [
      ['em0', 1, 2],
      ['em0', 7, 0],
      ['vnet0', 1, 2],
      ['vtnet3', 4, 1],
    ],
  );
});

test('the lines of an interface in any order say the same', (t) => {
  const [header = '', ...rest] = FREEBSD_14.trimEnd().split('\n');
  // A peer line belongs to the carp line before it and moves with it.
  const lines = rest
    .join('\n')
    .split(/\n(?!\t {6}peer)/)
    .filter((one) => one !== '');
  const orders = lines.map((_, at) => [...lines.slice(at), ...lines.slice(0, at)]);
  const sorted = (text: string) => {
    const { carp } = parseIfconfig(text);
    return carp.map((one) => ({ ...one, vips: [...one.vips].sort() }));
  };
  for (const order of [...orders, [...lines].reverse()])
    t.deepEqual(sorted([header, ...order, ''].join('\n')), sorted(FREEBSD_14));
});

test('interface names of VLANs, lagg, bridges and jails', (t) => {
  const names = ['vlan100', 'em0.10', 'lagg0', 'epair0b', 'bridge0', 'wan_0', 'ix1'];
  const text = names.map((name) => block(name, 'carp: MASTER vhid 1 advbase 1 advskew 0')).join('');
  t.deepEqual(
    parseIfconfig(text).carp.map((one) => one.interface),
    names,
  );
});

test('one vhid on two interfaces is two lines', (t) => {
  const text =
    block(
      'em0',
      'inet 192.0.2.1 netmask 0xffffffff vhid 1',
      'carp: MASTER vhid 1 advbase 1 advskew 0',
    ) + block('em1', 'carp: BACKUP vhid 1 advbase 1 advskew 5', 'inet 192.0.2.2/32 vhid 1');
  t.deepEqual(parseIfconfig(text).carp, [
    line({ state: 'MASTER', vips: ['192.0.2.1'] }),
    line({ interface: 'em1', advskew: 5, vips: ['192.0.2.2'] }),
  ]);
});

test('unicast peers, each with its vhid', (t) => {
  const text = block(
    'em0',
    'carp: MASTER vhid 1 advbase 1 advskew 0',
    '      peer 10.1.60.202 peer6 fd5e::202',
    'carp: BACKUP vhid 2 advbase 1 advskew 100',
    '      peer 224.0.0.18 peer6 fe80::2%em0',
  );
  t.deepEqual(parseIfconfig(text).carp, [
    line({ state: 'MASTER', peer: '10.1.60.202', peer6: 'fd5e::202' }),
    line({ vhid: 2, advskew: 100, peer: '224.0.0.18', peer6: 'fe80::2%em0' }),
  ]);
});

test('addresses as IFCONFIG_FORMAT writes them, and link-local ones with their scope', (t) => {
  const text = block(
    'em0',
    'inet 10.1.60.200/32 broadcast 10.1.60.200 vhid 1',
    'inet6 fd5e::200/128 vhid 1',
    'inet6 fe80::200%em0 prefixlen 64 scopeid 0x1 vhid 1',
    'inet6 fe80::201%em0/64 scopeid 0x1 vhid 1',
    'inet6 fd5e::202 prefixlen 128 tentative vhid 1 ',
    'carp: MASTER vhid 1 advbase 1 advskew 0',
  );
  t.deepEqual(parseIfconfig(text).carp[0]?.vips, [
    '10.1.60.200',
    'fd5e::200',
    'fe80::200%em0',
    'fe80::201%em0',
    'fd5e::202',
  ]);
});

test('a key that is printed is not kept, not even in an error', (t) => {
  const good = block('em0', 'carp: MASTER vhid 1 advbase 1 advskew 0 key "s3cret pass"');
  t.deepEqual(parseIfconfig(good).carp, [line({ state: 'MASTER' })]);
  t.notRegex(JSON.stringify(parseIfconfig(good)), /s3cret/);
  const bad = block('em0', 'carp: MASTER vhid 1 advbase 1 advskew 0 key "s3cret pass" more');
  const error = t.throws(() => parseIfconfig(bad), { instanceOf: IfconfigError });
  t.is(
    error.message,
    'ifconfig printed a line that is not understood: ' +
      '"carp: MASTER vhid 1 advbase 1 advskew 0 key "..." more"',
  );
  t.notRegex(`${error.line} ${error.stack}`, /s3cret/);
});

test('a CARP line that is not understood is an error that quotes it', (t) => {
  const lines = [
    'carp: SLAVE vhid 1 advbase 1 advskew 0',
    'carp: MASTER vhid 1 advbase 1',
    'carp: MASTER vhid x advbase 1 advskew 0',
    'carp: MASTER vhid 1 advbase 1 advskew 0 prio 100',
    'carp: MASTER vhid 1 adv',
    'carp: MASTER vhid 1 advbase 1 advskew -1',
    'vrrp: MASTER vrid 1 prio 100',
    'vrrp: master vrid 1 prio 100 interval 100',
    'carp:',
  ];
  t.deepEqual(
    lines.map(
      (one) => t.throws(() => parseIfconfig(block('em0', one)), { instanceOf: IfconfigError }).line,
    ),
    lines,
  );
});

test('what other lines say of CARP is not taken for it', (t) => {
  const text = block(
    'em0',
    'description: carp: MASTER vhid 9 advbase 1 advskew 0',
    'groups: carp vrrp',
    'inet 192.0.2.1 netmask 0xffffff00',
    '      peer 10.0.0.1 peer6 fd5e::1',
  );
  t.deepEqual(vhids(text), { carp: [], vrrp: [] });
});

test('a host without a vhid has none; that is no error', (t) => {
  t.deepEqual(vhids(block('lo0', 'inet 127.0.0.1 netmask 0xff000000')), {
    carp: [],
    vrrp: [],
  });
});

test('text that names no interface is an error, not a host without CARP', (t) => {
  const texts = ['', '\n', 'Segmentation fault\n', '{"ifconfig": {}}', '\tcarp: MASTER vhid 1\n'];
  for (const text of texts) t.throws(() => parseIfconfig(text), { instanceOf: IfconfigError });
  t.throws(() => parseIfconfig(`usage: ifconfig\n${FREEBSD_14}`), { instanceOf: IfconfigError });
});

import test from 'ava';
import { parseSysctl } from '../../agent/carp/carp.ts';
import { parseDevd } from '../../agent/carp/devd.ts';
import { parseIfconfig, vhidPrefixes, type CarpLine } from '../../agent/carp/ifconfig.ts';
import { parseCarpStatistics } from '../../agent/carp/netstat.ts';
import { parsePfRules, pfVerdict, type PfPacket } from '../../agent/carp/pf.ts';
import type { CarpState } from '../../agent/core/model.ts';
import { countersOf } from '../../agent/inspect/carp.ts';
import { parseGateways } from '../../agent/witness/gateways.ts';
import { fixture } from '../fixture.ts';

// Every text that FreeBSD 12.1-RELEASE printed on two hosts, through every parser that may meet it.

const text = (name: string): string => fixture(`freebsd-12.1/${name}.txt`);

/** Host 11 has advskew 0, host 12 has 100. */
const own = (host: 11 | 12) => ({
  interface: 'vtnet1',
  addresses: [`10.1.60.${host}/24`, `fe80::5054:ff:fefb:10${host - 10}%vtnet1/64`],
});
const withGlobal = (host: 11 | 12) => ({
  ...own(host),
  addresses: [...own(host).addresses, `fd00:60::${host}/64`],
});

const carpLine = (vhid: number, state: CarpState, advskew: number): CarpLine => {
  const last = vhid === 1 ? '200' : String(230 + vhid);
  const vips = [`10.1.60.${last}`, `fd00:60::${last}`];
  return { interface: 'vtnet1', vhid, state, advbase: 1, advskew, vips, peer: null, peer6: null };
};
const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];

const IFCONFIGS: readonly (readonly [string, 11 | 12, readonly number[], CarpState, number])[] = [
  ['ifconfig-12.1-master', 11, EIGHT, 'MASTER', 0],
  ['ifconfig-12.1-key', 11, EIGHT, 'MASTER', 0],
  ['ifconfig-12.1-backup', 12, EIGHT, 'BACKUP', 100],
  ['ifconfig-12.1-one-vhid-master', 11, [1], 'MASTER', 0],
  ['ifconfig-12.1-one-vhid-backup', 12, [1], 'BACKUP', 100],
  ['ifconfig-12.1-one-vhid-allow0', 11, [1], 'INIT', 0],
];

test('ifconfig of one interface: one vhid and eight, MASTER, BACKUP and fenced, with and without -k', (t) => {
  for (const [name, host, vhids, state, advskew] of IFCONFIGS)
    t.deepEqual(
      parseIfconfig(text(name)),
      {
        interfaces: [withGlobal(host)],
        carp: vhids.map((vhid) => carpLine(vhid, state, advskew)),
        vrrp: [],
      },
      name,
    );
});

test('ifconfig of the whole host: lo0, pflog0 and pfsync0 are interfaces without vhids', (t) => {
  t.deepEqual(parseIfconfig(text('ifconfig-12.1-all-master')), {
    interfaces: [
      { interface: 'vtnet0', addresses: ['fe80::5054:ff:fefb:1%vtnet0/64', '10.0.2.15/24'] },
      withGlobal(11),
      { interface: 'lo0', addresses: ['fe80::1%lo0/64', '::1/128', '127.0.0.1/8'] },
      { interface: 'pflog0', addresses: [] },
      { interface: 'pfsync0', addresses: [] },
    ],
    carp: EIGHT.map((vhid) => carpLine(vhid, 'MASTER', 0)),
    vrrp: [],
  });
});

const blocks = (name: string): string =>
  text(name)
    .split('\n')
    .filter((line) => /^(vtnet|\t)/.test(line))
    .join('\n');

test('ifconfig of a fenced host and of one without carrier: INIT, the addresses still there', (t) => {
  t.deepEqual(parseIfconfig(blocks('ifconfig-12.1-fenced-init')), {
    interfaces: [withGlobal(12)],
    carp: EIGHT.map((vhid) => carpLine(vhid, 'INIT', 100)),
    vrrp: [],
  });
  t.deepEqual(parseIfconfig(blocks('ifconfig-12.1-no-carrier-init')), {
    interfaces: [withGlobal(12)],
    carp: [carpLine(1, 'INIT', 100)],
    vrrp: [],
  });
});

test('ifconfig while the network is stopped: a vhid in INIT that carries no address', (t) => {
  const shown = text('service-12.1-netif-restart')
    .split('\n')
    .filter((line) => /^(vtnet1: flags|\t)/.test(line));
  const parts = shown
    .join('\n')
    .split(/^(?=vtnet1)/m)
    .map((part) => parseIfconfig(part));
  const backup = {
    interfaces: [withGlobal(11)],
    carp: [carpLine(1, 'BACKUP', 0)],
    vrrp: [],
  };
  t.deepEqual(parts, [
    {
      interfaces: [{ interface: 'vtnet1', addresses: [] }],
      carp: [{ ...carpLine(1, 'INIT', 0), vips: [] }],
      vrrp: [],
    },
    backup,
    backup,
  ]);
});

test('ifconfig of a VLAN: its name has a dot, groups and vlan stand around the carp line', (t) => {
  const shown = text('traces/e17')
    .split(/^(?=vtnet1\.10: )/m)
    .slice(1)
    .map((part) => part.split('\n').filter((line) => /^(vtnet|\t)/.test(line)));
  const lines = shown.map((part) => parseIfconfig(part.join('\n')));
  const vlan = (host: 1 | 2, state: CarpState) => ({
    interfaces: [
      {
        interface: 'vtnet1.10',
        addresses: [`fe80::5054:ff:fefb:10${host}%vtnet1.10/64`, `10.1.70.${host}/24`],
      },
    ],
    carp: [
      {
        ...carpLine(10, state, 1),
        interface: 'vtnet1.10',
        vips: ['10.1.70.200'],
      },
    ],
    vrrp: [],
  });
  t.deepEqual(lines, [vlan(1, 'MASTER'), vlan(2, 'BACKUP')]);
});

test('the lengths of the addresses of vhids: 32 and 128', (t) => {
  for (const name of ['ifconfig-12.1-master', 'ifconfig-12.1-all-master'])
    t.deepEqual(vhidPrefixes(text(name)), [
      ...EIGHT.map((vhid) => ({
        interface: 'vtnet1',
        vhid,
        prefix: `${carpLine(vhid, 'MASTER', 0).vips[0]}/32`,
      })),
      ...EIGHT.map((vhid) => ({
        interface: 'vtnet1',
        vhid,
        prefix: `${carpLine(vhid, 'MASTER', 0).vips[1]}/128`,
      })),
    ]);
});

const SYSCTLS = {
  'net.inet.carp.ifdown_demotion_factor': 240,
  'net.inet.carp.senderr_demotion_factor': 240,
  'net.inet.carp.demotion': 0,
  'net.inet.carp.log': 1,
  'net.inet.carp.preempt': 0,
  'net.inet.carp.dscp': 56,
  'net.inet.carp.allow': 1,
};

test('sysctl net.inet.carp: every value, of a host at rest, a fenced one, and one without carrier', (t) => {
  const read = (name: string) =>
    Object.fromEntries(parseSysctl(text(name).replaceAll(/^.* -> .*\n/gm, '')));
  t.deepEqual(read('sysctl-12.1-carp'), SYSCTLS);
  t.deepEqual(read('ifconfig-12.1-fenced-init'), {
    ...SYSCTLS,
    'net.inet.carp.demotion': 1920,
    'net.inet.carp.allow': 0,
  });
  t.deepEqual(read('ifconfig-12.1-no-carrier-init'), {
    ...SYSCTLS,
    'net.inet.carp.demotion': 240,
    'net.inet.carp.preempt': 1,
  });
  // A value that was set is shown as a change, and is no reading.
  t.deepEqual([...parseSysctl('net.inet.carp.allow: 1 -> 0\n')], []);
});

test('netstat -s -p carp: every counter, to the agent and to doctor', (t) => {
  const counters = (received: number, badAuth: number, sent: number) => ({
    received4: received,
    received6: received,
    badTtl: 0,
    badChecksum: 0,
    badVersion: 0,
    tooShort: 0,
    badAuth,
    unknownVhid: 0,
    badAddressList: 0,
    sent4: sent,
    sent6: sent,
    sendFailed: 0,
  });
  for (const [name, received, badAuth, sent] of [
    ['netstat-12.1-carp', 93, 0, 1590],
    ['netstat-12.1-carp-badauth', 217, 8, 102],
  ] as const) {
    t.deepEqual(parseCarpStatistics(text(name)), counters(received, badAuth, sent));
    t.deepEqual(countersOf(text(name)), {
      received: { v4: received, v6: received },
      sent: { v4: sent, v6: sent },
      badAuth,
      badVhid: 0,
    });
  }
});

test('netstat -rn: both default gateways, none of the other tables of the same text', (t) => {
  t.deepEqual(parseGateways(text('netstat-12.1-rn')), ['10.1.60.1', 'fd00:60::1']);
  t.deepEqual(parseGateways(text('service-12.1-netif-restart')), ['10.1.60.1', 'fd00:60::1']);
});

const events = (name: string): string[] =>
  text(name)
    .trimEnd()
    .split('\n')
    .map((line) => {
      const event = parseDevd(line.replace(/\$$/, ''));
      if (event === null) return 'nothing';
      return event.kind === 'carp'
        ? `${event.vhid}@${event.interface} ${event.state}`
        : `${event.interface} ${event.up ? 'up' : 'down'}`;
    });

test('devd: a move by hand, a fence of eight vhids, its end', (t) => {
  const all = [...EIGHT].reverse();
  t.deepEqual(events('devd-12.1-pipe-state-changes'), [
    '8@vtnet1 MASTER',
    '8@vtnet1 BACKUP',
    ...all.map((vhid) => `${vhid}@vtnet1 INIT`),
    ...all.map((vhid) => `${vhid}@vtnet1 BACKUP`),
  ]);
});

test('devd: fence, interface down, cable, both hosts', (t) => {
  t.deepEqual(events('devd-12.1-fence-down-cable-fb1'), [
    '1@vtnet1 INIT',
    '1@vtnet1 BACKUP',
    '1@vtnet1 MASTER',
    '1@vtnet1 INIT',
    '1@vtnet1 BACKUP',
    '1@vtnet1 MASTER',
    '1@vtnet1 INIT',
    'vtnet1 down',
    '1@vtnet1 BACKUP',
    'vtnet1 up',
  ]);
  t.deepEqual(events('devd-12.1-fence-down-cable-fb2'), [
    '1@vtnet1 MASTER',
    '1@vtnet1 BACKUP',
    '1@vtnet1 MASTER',
    '1@vtnet1 BACKUP',
    '1@vtnet1 MASTER',
  ]);
});

test('devd: vhids of jails and of a VLAN, whose end is no event of ours', (t) => {
  t.deepEqual(events('devd-12.1-vnet-jails'), [
    '7@epair0b BACKUP',
    '7@epair1b BACKUP',
    '7@epair0b MASTER',
    '7@epair1b MASTER',
    '7@epair0b BACKUP',
  ]);
  t.deepEqual(events('devd-12.1-vlan'), [
    '10@vtnet1.10 BACKUP',
    '10@vtnet1.10 MASTER',
    '10@vtnet1.10 INIT',
    'nothing',
  ]);
});

/** What pf does with a packet, and the rule that says so. */
function verdict(name: string, change: Partial<PfPacket>): string[] {
  const advert: PfPacket = {
    interface: 'vtnet1',
    direction: 'in',
    family: 'inet',
    proto: 'carp',
    from: null,
    to: '224.0.0.18',
    port: null,
  };
  const { action, rules } = pfVerdict(parsePfRules(text(name)), { ...advert, ...change });
  return [action, ...rules];
}

test('pfctl -sr of the pf.conf that setup writes: what the pair needs passes, all else does not', (t) => {
  const name = 'pfctl-12.1-sr-setup';
  for (const direction of ['in', 'out'] as const) {
    t.deepEqual(verdict(name, { direction }), [
      'pass',
      'pass quick on vtnet1 inet proto carp all keep state (no-sync)',
    ]);
    t.deepEqual(verdict(name, { direction, family: 'inet6', to: 'ff02::12' }), [
      'pass',
      'pass quick on vtnet1 inet6 proto carp all keep state (no-sync)',
    ]);
  }
  t.deepEqual(verdict(name, { proto: 'tcp', from: '10.1.60.12', to: '10.1.60.11', port: 7660 }), [
    'pass',
    'pass in quick on vtnet1 inet proto tcp from 10.1.60.0/24 to any port = 7660 flags S/SA keep state',
  ]);
  t.deepEqual(verdict(name, { proto: 'tcp', from: '192.0.2.9', to: '10.1.60.11', port: 7660 }), [
    'block',
    'block drop in log all',
  ]);
  t.deepEqual(verdict(name, { proto: 'tcp', from: '192.0.2.9', to: '10.1.60.200', port: 443 }), [
    'pass',
    'pass in quick on vtnet1 proto tcp from any to any port = https flags S/SA keep state',
  ]);
});

test('pfctl -sr of a host that drops the adverts of its peer: in, not out', (t) => {
  for (const family of ['inet', 'inet6'] as const) {
    t.deepEqual(verdict('pfctl-12.1-sr-carp-blocked', { family }), [
      'block',
      'block drop in quick on vtnet1 proto carp all',
    ]);
    t.deepEqual(verdict('pfctl-12.1-sr-carp-blocked', { family, direction: 'out' }), [
      'pass',
      'pass out all flags S/SA keep state',
    ]);
  }
});

test('texts of pfctl that are no rules hold none', (t) => {
  for (const name of ['s-info', 's-info-disabled', 'sI-v', 'sm-st', 'ss-carp'])
    t.deepEqual(parsePfRules(text(`pfctl-12.1-${name}`)), { rules: [] }, name);
});

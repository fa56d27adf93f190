import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isIPv4 } from 'node:net';

/** One vhid's own network device: a macvlan with the virtual MAC. */
export interface VirtualDevice {
  /** As Linux calls it. */
  readonly name: string;
  /** The device it stands on. */
  readonly parent: string;
  readonly vhid: number;
}

export interface Dataplane {
  /** The VIPs are addresses of this host in every state; what it sends to them leaves it. */
  hold(vips: readonly string[]): void;
  /** Makes the device, down and without addresses. */
  create(device: VirtualDevice): Promise<void>;
  /** MASTER: addresses first, then up; resolves once the link is up. */
  up(device: VirtualDevice, vips: readonly string[]): Promise<void>;
  /** BACKUP: down first, so that nothing leaves with the virtual MAC any more. */
  down(device: VirtualDevice, vips: readonly string[]): void;
}

/** All devices of vhids, as one for ip(8). */
const GROUP = 112;

/**
 * Addresses and links of this namespace through one `ip -batch` child: no fork
 * on the way of a move. When this process dies, even by SIGKILL, the child's
 * stdin ends and it takes the devices down: a dead kernel answers for nobody.
 */
export function openDataplane(): Dataplane {
  const script = `trap '' TERM INT HUP; ip -force -batch - 2>&1; ip link set group ${GROUP} down`;
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<string, () => void>();
  let marks = 0;
  // ip(8) prints nothing for a command that works; one that must fail marks the place.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const mark = /Cannot find device "(mark\d+)"|Device "(mark\d+)" does not exist/.exec(line);
    const name = mark?.[1] ?? mark?.[2];
    if (name !== undefined) waiting.get(name)?.();
    else if (!line.startsWith('Command failed')) process.stderr.write(`ip: ${line}\n`);
  });
  const write = (lines: readonly string[]): void => {
    child.stdin.write(`${lines.join('\n')}\n`);
  };
  const done = (lines: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const mark = `mark${(marks = (marks + 1) % 1_000_000)}`;
      waiting.set(mark, () => {
        waiting.delete(mark);
        resolve();
      });
      write([...lines, `link show dev ${mark}`]);
    });
  const prefix = (vip: string): string => (isIPv4(vip) ? `${vip}/32` : `${vip}/128`);

  // A line of a batch cannot say its family: rules of IPv6 go to a child of their own.
  const rules6 = spawn('ip', ['-6', '-force', '-batch', '-'], {
    stdio: ['pipe', 'inherit', 'ignore'],
  });
  rules6.stdin.on('error', () => undefined);
  const held = new Set<string>();
  const ruled = new Set<string>();
  /** A rule before the local table: to a VIP by way of the wire. */
  const outside = (what: 'add' | 'del', vips: readonly string[]): void => {
    for (const vip of vips) {
      if (!held.has(vip) || ruled.has(vip) === (what === 'add')) continue;
      if (what === 'add') ruled.add(vip);
      else ruled.delete(vip);
      const line = `rule ${what} pref 50 iif lo to ${prefix(vip)} lookup main`;
      if (isIPv4(vip)) write([line]);
      else rules6.stdin.write(`${line}\n`);
    }
  };

  return {
    hold(vips) {
      for (const vip of vips) held.add(vip);
      write(
        vips.map(
          (vip) => `addr replace ${prefix(vip)} dev lo${isIPv4(vip) ? '' : ' nodad noprefixroute'}`,
        ),
      );
      outside('add', vips);
    },
    async create({ name, parent, vhid }) {
      const mac = `00:00:5e:00:01:${vhid.toString(16).padStart(2, '0')}`;
      await done([
        `link add link ${parent} name ${name} address ${mac} type macvlan mode bridge`,
        `link set ${name} group ${GROUP} addrgenmode none`,
      ]);
      tune(name);
    },
    async up({ name }, vips) {
      await done([
        ...vips.map(
          (vip) => `addr replace ${prefix(vip)} dev ${name}${isIPv4(vip) ? '' : ' nodad'}`,
        ),
        `link set ${name} up`,
      ]);
      outside('del', vips);
    },
    down({ name }, vips) {
      outside('add', vips);
      write([`link set ${name} down`, ...vips.map((vip) => `addr del ${prefix(vip)} dev ${name}`)]);
    },
  };
}

/**
 * The host's settings under which Linux answers for a VIP as FreeBSD does: ARP and
 * neighbour solicitations by the virtual MAC alone and only while MASTER, but packets
 * that reach the physical MAC in every state, since the address is always there. What
 * the host itself sends to a VIP goes out to the MASTER (the rules of `hold`). At a
 * takeover Linux announces nothing: the kernel here sends FreeBSD's gratuitous ARP, and
 * no advertisement. Not simulated: a MASTER that asks for an IPv6 neighbour with the VIP
 * as source and the physical MAC, and the ARP table of FreeBSD.
 */
export function tuneHost(parents: readonly string[], holds: boolean): void {
  // The local table comes before every rule, unless it is moved: for the rules of `hold` alone.
  if (holds)
    for (const family of ['-4', '-6'])
      execFileSync('sh', ['-c', LOCAL_LATER, family], { stdio: ['ignore', 'inherit', 'inherit'] });
  set('ipv4/ip_nonlocal_bind', 1);
  set('ipv6/ip_nonlocal_bind', 1);
  set('ipv4/conf/all/arp_ignore', 1);
  set('ipv4/conf/all/arp_announce', 2);
  for (const name of ['all', 'default', ...parents]) {
    set(`ipv4/conf/${name}/rp_filter`, 0);
    // An answer of the MASTER comes from an address that is this host's too.
    if (holds) set(`ipv4/conf/${name}/accept_local`, 1);
  }
  for (const name of parents) {
    set(`ipv6/conf/${name}/accept_dad`, 0);
    set(`ipv6/conf/${name}/accept_ra`, 0);
  }
}

function tune(name: string): void {
  set(`ipv4/conf/${name}/rp_filter`, 0);
  set(`ipv6/conf/${name}/accept_dad`, 0);
  set(`ipv6/conf/${name}/accept_ra`, 0);
  // FreeBSD joins groups on the physical interface: a report by the virtual MAC, some time within
  // a second, would teach a switch what only adverts teach it.
  for (const version of ['mldv1', 'mldv2'])
    set(`ipv6/conf/${name}/${version}_unsolicited_report_interval`, DAY_MS);
}

const DAY_MS = 86_400_000;

const LOCAL_LATER = `if ip $0 rule show pref 0 | grep -q local; then
  ip $0 rule add pref 100 lookup local && ip $0 rule del pref 0
fi
ip link set lo up`;

/** /proc/sys/net is the namespace's of whoever opens it. */
const set = (path: string, value: number): void =>
  writeFileSync(`/proc/sys/net/${path}`, `${value}\n`);

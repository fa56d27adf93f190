import { spawn } from 'node:child_process';
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
  /** Makes the device, down and without addresses. */
  create(device: VirtualDevice): Promise<void>;
  /** MASTER: addresses first, then up; resolves once the link is up. */
  up(device: VirtualDevice, vips: readonly string[]): Promise<void>;
  /** BACKUP: down first, so that nothing leaves with the virtual MAC any more. */
  down(device: VirtualDevice, vips: readonly string[]): void;
}

/**
 * Addresses and links of this namespace through one `ip -batch` child: no fork
 * on the way of a move. When this process dies, even by SIGKILL, the child's
 * stdin ends and it takes the devices down: a dead kernel answers for nobody.
 */
export function openDataplane(devices: readonly VirtualDevice[]): Dataplane {
  const down = devices.map(({ name }) => `ip link set ${name} down`).join('; ');
  const script = `trap '' TERM INT HUP; ip -force -batch - 2>&1; ${down}`;
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

  return {
    async create({ name, parent, vhid }) {
      const mac = `00:00:5e:00:01:${vhid.toString(16).padStart(2, '0')}`;
      await done([
        `link add link ${parent} name ${name} address ${mac} type macvlan mode bridge`,
        `link set ${name} addrgenmode none`,
      ]);
      tune(name);
    },
    up: ({ name }, vips) =>
      done([
        ...vips.map(
          (vip) => `addr replace ${prefix(vip)} dev ${name}${isIPv4(vip) ? '' : ' nodad'}`,
        ),
        `link set ${name} up`,
      ]),
    down: ({ name }, vips) =>
      write([`link set ${name} down`, ...vips.map((vip) => `addr del ${prefix(vip)} dev ${name}`)]),
  };
}

/**
 * The host's settings under which Linux answers for a VIP as FreeBSD does: by
 * the virtual MAC alone, only while MASTER, and with a gratuitous ARP when the
 * link comes up; no unsolicited NA, as on 12.1.
 */
export function tuneHost(parents: readonly string[]): void {
  set('ipv4/ip_nonlocal_bind', 1);
  set('ipv6/ip_nonlocal_bind', 1);
  set('ipv4/conf/all/arp_ignore', 1);
  set('ipv4/conf/all/arp_announce', 2);
  for (const name of ['all', 'default', ...parents]) set(`ipv4/conf/${name}/rp_filter`, 0);
  for (const name of parents) {
    set(`ipv6/conf/${name}/accept_dad`, 0);
    set(`ipv6/conf/${name}/accept_ra`, 0);
  }
}

function tune(name: string): void {
  set(`ipv4/conf/${name}/rp_filter`, 0);
  set(`ipv4/conf/${name}/arp_notify`, 1);
  set(`ipv6/conf/${name}/accept_dad`, 0);
  set(`ipv6/conf/${name}/accept_ra`, 0);
}

/** /proc/sys/net is the namespace's of whoever opens it. */
const set = (path: string, value: number): void =>
  writeFileSync(`/proc/sys/net/${path}`, `${value}\n`);

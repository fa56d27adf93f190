import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { INTERFACE, PLACES, PREFIX4, PREFIX6, WITNESS, type LabPlan } from './plan.ts';

/** Every namespace of the lab. */
export const namespacesOf = (plan: LabPlan): string[] => [
  plan.switchNamespace,
  plan.client,
  plan.backends,
  ...plan.hosts.map(({ namespace }) => namespace),
];

/** Runs a command to its end; throws with what it said. */
export function run(command: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { input, encoding: 'utf8' });
  if (status === 0) return stdout;
  const said = error?.message ?? (stderr.trim() || `exit ${status}`);
  throw new Error(`${command} ${args.join(' ')}: ${said}`);
}

/** Makes the namespaces and joins them by a bridge. Nothing outside them is touched. */
export function buildTopology(plan: LabPlan): void {
  for (const name of namespacesOf(plan)) run('ip', ['netns', 'add', name]);
  const sw = plan.switchNamespace;
  // MAC learning, nothing else: no spanning tree, no snooping, no addresses.
  run('ip', ['netns', 'exec', sw, 'sh', '-c', DISABLE_IPV6]);
  batch(sw, [
    'link add br0 type bridge forward_delay 0 mcast_snooping 0 stp_state 0',
    'link set br0 up',
  ]);
  join(plan, plan.client, 'client', PLACES.client);
  for (const address of WITNESS) setAddress(plan.client, 'replace', address);
  join(plan, plan.backends, 'backends', PLACES.backends);
  for (const { namespace, node, address4 } of plan.hosts)
    join(plan, namespace, node, address4.slice(PREFIX4.length));
}

const DISABLE_IPV6 =
  'for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done';

/** Gives a host of the switch an address (with its length), or takes it away. */
export function setAddress(namespace: string, what: 'replace' | 'del', address: string): void {
  const nodad = what === 'replace' && address.includes(':') ? ' nodad' : '';
  batch(namespace, [`addr ${what} ${address} dev ${INTERFACE.linux}${nodad}`]);
}

/**
 * A small disk for the state of each agent, so that one can be full. Needs
 * root: without it the mount would be hidden from everybody outside.
 */
export function mountState(plan: LabPlan): void {
  for (const { stateDir } of plan.hosts) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    run('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', plan.name, stateDir]);
  }
}

/** Puts a table of that name in the place of what was there; null takes it away. */
export function nft(
  namespace: string,
  family: 'bridge' | 'inet',
  name: string,
  chains: string | null,
): void {
  const table = `${family} ${name}`;
  const text = chains === null ? '' : `table ${table} {\n${chains}}\n`;
  const input = `add table ${table}\ndelete table ${table}\n${text}`;
  run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], input);
}

/** The port of a host on the switch. */
export const portOf = (place: string): string => `v${place}`;

function join(plan: LabPlan, namespace: string, place: string, last: string): void {
  const port = portOf(place);
  batch(namespace, [
    'link set lo up',
    `link add ${INTERFACE.linux} type veth peer name ${port} netns ${plan.switchNamespace}`,
    // What names the interface to the kernel itself, as an address with its scope, knows FreeBSD's name.
    `link property add dev ${INTERFACE.linux} altname ${INTERFACE.freebsd}`,
    `addr add ${PREFIX4}${last}/24 dev ${INTERFACE.linux}`,
    `addr add ${PREFIX6}${last}/64 dev ${INTERFACE.linux} nodad`,
    `link set ${INTERFACE.linux} up`,
  ]);
  batch(plan.switchNamespace, [`link set ${port} master br0`, `link set ${port} up`]);
}

const batch = (namespace: string, lines: readonly string[]): string =>
  run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);

/** Removes the namespaces and disks by name; what runs in them must have ended. */
export function removeTopology(plan: LabPlan): void {
  for (const { stateDir } of plan.hosts) spawnSync('umount', ['-l', stateDir]);
  for (const name of namespacesOf(plan)) spawnSync('ip', ['netns', 'del', name]);
}

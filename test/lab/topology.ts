import { spawnSync } from 'node:child_process';
import { INTERFACE, PLACES, PREFIX4, PREFIX6, type LabPlan } from './plan.ts';

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
  join(plan, plan.backends, 'backends', PLACES.backends);
  for (const { namespace, node, address4 } of plan.hosts)
    join(plan, namespace, node, address4.slice(PREFIX4.length));
}

const DISABLE_IPV6 =
  'for f in all default; do echo 1 > /proc/sys/net/ipv6/conf/$f/disable_ipv6; done';

/** The port of a host on the switch. */
export const portOf = (place: string): string => `v${place}`;

function join(plan: LabPlan, namespace: string, place: string, last: string): void {
  const port = portOf(place);
  batch(namespace, [
    'link set lo up',
    `link add ${INTERFACE.linux} type veth peer name ${port} netns ${plan.switchNamespace}`,
    `addr add ${PREFIX4}${last}/24 dev ${INTERFACE.linux}`,
    `addr add ${PREFIX6}${last}/64 dev ${INTERFACE.linux} nodad`,
    `link set ${INTERFACE.linux} up`,
  ]);
  batch(plan.switchNamespace, [`link set ${port} master br0`, `link set ${port} up`]);
}

const batch = (namespace: string, lines: readonly string[]): string =>
  run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);

/** Removes the namespaces by name; what runs in them must have ended. */
export function removeTopology(plan: LabPlan): void {
  for (const name of namespacesOf(plan)) spawnSync('ip', ['netns', 'del', name]);
}

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../agent/core/words.ts';
import type { HostPlan, LabPlan } from './plan.ts';
import { portOf, run } from './topology.ts';

interface Scene {
  readonly plan: LabPlan;
  readonly host: HostPlan;
  readonly on: boolean;
  readonly ensure: (program: string) => Promise<void>;
  readonly signal: (program: string, signal: NodeJS.Signals) => void;
}

type Fault = (scene: Scene) => Promise<void> | void;

const dead =
  (program: string): Fault =>
  async ({ on, signal, ensure }) => {
    if (on) signal(program, 'SIGKILL');
    else await ensure(program);
  };

const frozen =
  (program: string): Fault =>
  ({ on, signal }) =>
    signal(program, on ? 'SIGSTOP' : 'SIGCONT');

const tools =
  (mode: string): Fault =>
  ({ host, on }) => {
    const path = join(host.folder, 'fault');
    if (on) writeFileSync(path, `${mode}\n`);
    else rmSync(path, { force: true });
  };

/** A rule set of its own in the switch, named after fault and host. */
const filtered =
  (name: string, rules: (port: string) => readonly string[]): Fault =>
  ({ plan, host, on }) => {
    const table = `${name}_${host.node}`.replaceAll('-', '_');
    const port = portOf(host.node);
    const text = on
      ? `table bridge ${table} {\n chain x {\n  type filter hook forward priority 0;\n${rules(port).join('\n')}\n }\n}\n`
      : `delete table bridge ${table}\n`;
    run('ip', ['netns', 'exec', plan.switchNamespace, 'nft', '-f', '-'], text);
  };

const inSwitch = ({ plan }: Scene, args: readonly string[]): void =>
  void run('ip', ['netns', 'exec', plan.switchNamespace, ...args]);

const FAULTS: Readonly<Record<string, Fault>> = {
  'agent-dead': dead('agent'),
  'agent-frozen': frozen('agent'),
  'haproxy-dead': dead('haproxy'),
  'haproxy-frozen': frozen('haproxy'),
  'carp-dead': dead('carp'),
  // Silent: the carrier stays up.
  'host-cut': (scene) =>
    inSwitch(
      scene,
      ['bridge', 'link', 'set', 'dev', portOf(scene.host.node), 'state'].concat(
        scene.on ? '0' : '3',
      ),
    ),
  cable: (scene) =>
    inSwitch(scene, ['ip', 'link', 'set', portOf(scene.host.node), scene.on ? 'down' : 'up']),
  'adverts-out': filtered('adverts_out', (port) => [`iifname "${port}" meta l4proto 112 drop`]),
  'adverts-in': filtered('adverts_in', (port) => [`oifname "${port}" meta l4proto 112 drop`]),
  'adverts6-in': filtered('adverts6_in', (port) => [
    `oifname "${port}" ether type ip6 ip6 nexthdr 112 drop`,
  ]),
  'gossip-cut': filtered('gossip_cut', (port) => [
    `iifname "${port}" tcp dport 7660 drop`,
    `oifname "${port}" tcp dport 7660 drop`,
    `iifname "${port}" tcp sport 7660 drop`,
    `oifname "${port}" tcp sport 7660 drop`,
  ]),
  'ifconfig-fails': tools('fail'),
  'ifconfig-hangs': tools('hang'),
  'ifconfig-garbage': tools('garbage'),
  // Not a state but an event: off does nothing.
  reboot: ({ host, on }) => {
    if (on) run('perl', [join(host.folder, 'bin', 'call'), 'lab', 'reboot']);
  },
};

/** The fault of this name. Throws with the nearest name, or all, for one that does not exist. */
export function faultOf(name: string): Fault {
  const fault = FAULTS[name];
  if (fault !== undefined) return fault;
  const near = nearest(name, Object.keys(FAULTS));
  const known = Object.keys(FAULTS).join(', ');
  throw new Error(
    `no fault ${name}; ${near === null ? `there are ${known}` : `did you mean ${near}?`}`,
  );
}

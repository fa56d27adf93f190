import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearest } from '../../agent/core/words.ts';
import { clockFile, coresFile, WITNESS } from './plan.ts';
import { SERVERS } from './haproxy-config.ts';
import { poison } from './poison.ts';
import { delay } from './relay-rules.ts';
import type { Scene } from './scene.ts';
import { nft, portOf, run, setAddress } from './topology.ts';

const GITEA_PORT = SERVERS.find(({ backend }) => backend === 'GITEA')?.port ?? 0;

interface Fault {
  readonly text: string;
  /** What --value means; absent: it takes none. */
  readonly value?: string;
  /** It is one for the whole lab: no node. */
  readonly everywhere?: true;
  readonly apply: (scene: Scene) => Promise<void> | void;
}

const killed =
  (program: string): Fault['apply'] =>
  async ({ on, signal, ensure }) => {
    if (on) await signal(program, 'SIGKILL');
    else await ensure(program);
  };

const frozen =
  (program: string): Fault['apply'] =>
  ({ on, signal }) =>
    signal(program, on ? 'SIGSTOP' : 'SIGCONT');

const tools =
  (mode: string): Fault['apply'] =>
  ({ host, on }) => {
    const path = join(host.folder, 'fault');
    if (on) writeFileSync(path, `${mode}\n`);
    else rmSync(path, { force: true });
  };

/** What the simulated kernel does when the lab asks for it. */
const ordered = ({ host }: Scene, ...order: readonly string[]): void =>
  void run('perl', [join(host.folder, 'bin', 'call'), 'lab', ...order]);

/** devd started anew with so many places left, or stopped. */
const devd =
  (places: string): Fault['apply'] =>
  (scene) =>
    ordered(scene, 'devd', scene.on ? places : '10');

/** A rule set of its own in the switch, named after fault and host. */
const filtered =
  (name: string, rules: (port: string, value: number | null) => readonly string[]) =>
  ({ plan, host, on, value }: Scene): void => {
    const lines = rules(portOf(host.node), value).join('\n');
    const chain = `chain x {\n type filter hook forward priority 0;\n${lines}\n}\n`;
    nft(plan.switchNamespace, 'bridge', `${name}_${host.node}`, on ? chain : null);
  };

const inSwitch = ({ plan }: Scene, argv: readonly string[]): void =>
  void run('ip', ['netns', 'exec', plan.switchNamespace, ...argv]);

const FAULTS: Readonly<Record<string, Fault>> = {
  'kill-agent': { text: 'kill -9 of proxyagent; off starts it again', apply: killed('agent') },
  'kill-haproxy': { text: 'kill -9 of HAProxy; off starts it again', apply: killed('haproxy') },
  'soft-stop-haproxy': {
    text: 'SIGUSR1 to HAProxy: it ends with its sessions; off starts it again once it has',
    apply: async ({ on, signal, ensure }) => {
      if (on) await signal('haproxy', 'SIGUSR1');
      else await ensure('haproxy');
    },
  },
  'kill-carp': {
    text: 'the host loses its kernel: no CARP, no VIPs; off starts it again',
    apply: killed('carp'),
  },
  'freeze-agent': { text: 'SIGSTOP of proxyagent; off is SIGCONT', apply: frozen('agent') },
  'freeze-haproxy': { text: 'SIGSTOP of HAProxy; off is SIGCONT', apply: frozen('haproxy') },
  cut: {
    text: 'the host hears and is heard by nobody; its link stays up',
    apply: (scene) => {
      const port = portOf(scene.host.node);
      inSwitch(scene, ['bridge', 'link', 'set', 'dev', port, 'state', scene.on ? '0' : '3']);
    },
  },
  cable: {
    text: 'the cable is pulled: no carrier on vtnet0',
    apply: (scene) =>
      inSwitch(scene, ['ip', 'link', 'set', portOf(scene.host.node), scene.on ? 'down' : 'up']),
  },
  carp: {
    text: 'CARP adverts are lost to and from the host',
    apply: filtered('carp', (port) => [
      `iifname "${port}" meta l4proto 112 drop`,
      `oifname "${port}" meta l4proto 112 drop`,
    ]),
  },
  'carp-in': {
    text: 'CARP adverts do not reach the host',
    apply: filtered('carp_in', (port) => [`oifname "${port}" meta l4proto 112 drop`]),
  },
  'carp-out': {
    text: 'CARP adverts of the host reach nobody',
    apply: filtered('carp_out', (port) => [`iifname "${port}" meta l4proto 112 drop`]),
  },
  'carp6-in': {
    text: 'IPv6 adverts do not reach the host, IPv4 ones do',
    apply: filtered('carp6_in', (port) => [
      `oifname "${port}" ether type ip6 ip6 nexthdr 112 drop`,
    ]),
  },
  backend: {
    text: 'the server of backend GITEA refuses connections from the host',
    apply: ({ plan, host, on }) => {
      const rule = `ip6 saddr ${host.address6} tcp dport ${GITEA_PORT} reject with tcp reset`;
      const chain = `chain x {\n type filter hook input priority 0;\n${rule}\n}\n`;
      nft(plan.backends, 'inet', `backend_${host.node}`, on ? chain : null);
    },
  },
  grpc: {
    text: 'TCP port 7660 is silently dropped to and from the host',
    apply: filtered('grpc', (port) =>
      ['iifname', 'oifname'].flatMap((way) => [
        `${way} "${port}" tcp dport 7660 drop`,
        `${way} "${port}" tcp sport 7660 drop`,
      ]),
    ),
  },
  'grpc-out': {
    text: 'what the host sends to TCP port 7660 of others is silently dropped; they reach it',
    apply: filtered('grpc_out', (port) => [`iifname "${port}" tcp dport 7660 drop`]),
  },
  delay: {
    text: "what the host's agent says to its peers arrives late",
    value: 'ms, 100 unless given',
    apply: delay,
  },
  loss: {
    text: 'packets to and from the host are lost by chance',
    value: 'per cent, 30 unless given',
    apply: filtered('loss', (port, value) =>
      ['iifname', 'oifname'].map(
        (way) => `${way} "${port}" numgen random mod 100 < ${value ?? 30} drop`,
      ),
    ),
  },
  witness: {
    text: 'the witness address answers no more',
    everywhere: true,
    apply: ({ plan, on }) => {
      for (const address of WITNESS) setAddress(plan.client, on ? 'del' : 'replace', address);
    },
  },
  'disk-full': {
    text: "the agent's state directory has no room left",
    apply: ({ host, on, root }) => {
      if (!root) throw new Error('disk-full needs a lab that root brought up');
      const path = join(host.stateDir, 'full');
      if (on) run('sh', ['-c', 'cat /dev/zero > "$0" 2> /dev/null || true', path]);
      else rmSync(path, { force: true });
    },
  },
  clock: {
    text: "proxyagent's wall clock is wrong",
    value: 'seconds ahead, negative for behind; 3600 unless given',
    apply: ({ plan, host, on, value }) => {
      if (plan.unpacked !== null) throw new Error('an agent as packaged has the clock of the host');
      if (on) writeFileSync(clockFile(host), `${value ?? 3600}\n`);
      else rmSync(clockFile(host), { force: true });
    },
  },
  cores: {
    text: 'proxyagent may leave a core file, from its next start on',
    apply: ({ host, on }) => {
      if (on) writeFileSync(coresFile(host), '');
      else rmSync(coresFile(host), { force: true });
    },
  },
  reboot: {
    text: "CARP's configuration is read from rc.conf again; off does nothing",
    apply: ({ host, on }) => {
      if (on) run('perl', [join(host.folder, 'bin', 'call'), 'lab', 'reboot']);
    },
  },
  'devd-deaf': {
    text: 'devd starts anew with all its places taken: who connects hears nothing',
    apply: devd('0'),
  },
  'devd-gone': { text: 'devd ends, and leaves its socket file', apply: devd('stop') },
  'late-advert': {
    text: 'the last IPv6 advert of a MASTER that became BACKUP leaves late: the switch learns the old port',
    value: 'ms, 30 unless given',
    apply: (scene) => ordered(scene, 'late', scene.on ? String(scene.value ?? 30) : '0'),
  },
  'no-advert-now': {
    text: 'who is MASTER advertises when it is time and never when it is asked: nothing mends a switch sooner',
    apply: (scene) => ordered(scene, 'mute', scene.on ? 'on' : 'off'),
  },
  'reboot-now': {
    text: 'as reboot(8) begins: SIGTERM to every process, SIGKILL 5 s later, CARP goes on; off boots',
    apply: async ({ host, on, ensure, endAll }) => {
      if (on) return endAll();
      run('perl', [join(host.folder, 'bin', 'call'), 'lab', 'reboot']);
      await ensure('haproxy');
      await ensure('agent');
    },
  },
  'nd-poisoned': {
    text: 'the MASTER asks for the client from the VIP: it learns the physical MAC; a BACKUP answers there',
    apply: (scene) => poison(scene),
  },
  'no-netgraph': {
    text: 'the kernel has no ng_ether: nobody can tell IPv6 neighbours of a move',
    apply: ({ host, on }) => {
      const path = join(host.folder, 'no-netgraph');
      if (on) writeFileSync(path, '');
      else rmSync(path, { force: true });
    },
  },
  'ifconfig-fails': { text: 'ifconfig, sysctl and kldstat fail', apply: tools('fail') },
  'ifconfig-hangs': { text: 'ifconfig, sysctl and kldstat never end', apply: tools('hang') },
  'ifconfig-garbage': {
    text: 'ifconfig prints a CARP line that nobody understands',
    apply: tools('garbage'),
  },
};

/** For `fault --help`: every fault, one line each. */
export const faultLines = (): string =>
  Object.entries(FAULTS)
    .map(([name, { text, value }]) => {
      const more = value === undefined ? '' : ` (--value: ${value})`;
      return `  ${name.padEnd(17)}${text}${more}`;
    })
    .join('\n');

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

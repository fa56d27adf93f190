import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { CarpObservation } from '../../agent/loop/observe.ts';
import type { CarpControl, VhidChange } from '../../agent/loop/ports.ts';
import { getVhid, hear, runTimers, setAddresses, setSysctl, setVhid } from '../kernel/acts.ts';
import { newKernel, nextTimerAtMs, type Change, type Kernel } from '../kernel/kernel.ts';

// kernels.js SOCKET: carp(4) of both hosts, in a process of its own as a kernel is apart from the
// agents that are attacked. Agents ask at SOCKET; whoever started it is told what CARP did.

/** What an agent asks of its kernel. */
export type Act =
  | { readonly what: 'read' | 'received' | 'advertise' }
  | { readonly what: 'set'; readonly changes: Parameters<CarpControl['set']>[0] }
  | { readonly what: 'allow'; readonly on: boolean };
/** One line of an agent; the answer has the same id. */
export type Asked = Act & { readonly id: number; readonly node: string };
/** One line to an agent. */
export type Said =
  | { readonly id: number; readonly value: CarpObservation | Kernel['received'] | null }
  | { readonly changed: true };
/** What whoever started it is told. */
export interface Carp {
  /** By node. */
  readonly states: Readonly<Record<string, string>>;
  /** Every change of a state, an advskew or a sysctl since it was last asked to forget. */
  readonly changes: readonly string[];
}

const INTERFACE = 'vtnet0';
const VHID = 1;
const SKEWS: Readonly<Record<string, number>> = { haproxy01: 0, haproxy02: 100 };

const kernels = new Map<string, Kernel>();
const timers = new Map<string, NodeJS.Timeout>();
const clients = new Map<Socket, string>();
let changes: string[] = [];
const now = (): number => performance.now();

function apply(node: string, { kernel, effects }: Change): void {
  kernels.set(node, kernel);
  for (const effect of effects) {
    if (effect.kind === 'state') {
      changes.push(`${node}: ${effect.from} to ${effect.to} (${effect.reason})`);
      for (const [socket, whose] of clients) if (whose === node) write(socket, { changed: true });
    }
    if (effect.kind === 'advert')
      for (const [other, heard] of kernels)
        if (other !== node)
          for (const family of effect.families)
            apply(other, hear(heard, { ...effect, family, authentic: true }, now()));
  }
  clearTimeout(timers.get(node));
  const dueMs = nextTimerAtMs(kernels.get(node) ?? kernel);
  if (dueMs === null) return;
  const fire = (): void => apply(node, runTimers(kernels.get(node) ?? kernel, now()));
  timers.set(node, setTimeout(fire, Math.max(1, dueMs - now())));
}

const write = (socket: Socket, said: Said): void => void socket.write(`${JSON.stringify(said)}\n`);

function set(node: string, kernel: Kernel, { vhid, advskew, state }: VhidChange): void {
  const known = getVhid(kernel, INTERFACE, vhid);
  if (known === null) return;
  changes.push(`${node}: set advskew ${advskew} state ${state}`);
  const settings = {
    ...known,
    ...(advskew === undefined ? {} : { advskew }),
    ...(state === undefined ? {} : { state }),
  };
  apply(node, setVhid(kernel, INTERFACE, vhid, settings, now()));
}

function sysctl(node: string, kernel: Kernel, name: 'allow' | 'demotion', value: number): void {
  changes.push(`${node}: set ${name} ${value}`);
  apply(node, setSysctl(kernel, name, value, now()));
}

function answer(asked: Asked): CarpObservation | Kernel['received'] | null {
  const kernel = kernels.get(asked.node);
  if (kernel === undefined) return null;
  if (asked.what === 'received') return kernel.received;
  if (asked.what === 'set') for (const change of asked.changes) set(asked.node, kernel, change);
  if (asked.what === 'allow') sysctl(asked.node, kernel, 'allow', Number(asked.on));
  if (asked.what === 'advertise') sysctl(asked.node, kernel, 'demotion', 0);
  return asked.what === 'read' ? reading(asked.node, kernel) : null;
}

const reading = (node: string, kernel: Kernel): CarpObservation => ({
  addresses: kernel.vhids.map(({ vhid, vips4, vips6, state, advbase, advskew }) => ({
    interface: INTERFACE,
    vhid,
    vips: [...vips4, ...vips6],
    state,
    advbase,
    advskew,
  })),
  preempt: kernel.preempt,
  demotion: kernel.demotion,
  downFactor: kernel.ifdownFactor,
  allow: kernel.allow !== 0,
  interfaces: [{ interface: INTERFACE, addresses: [`10.1.60.${201 + (SKEWS[node] ?? 0)}/24`] }],
});

for (const [node, advskew] of Object.entries(SKEWS)) {
  const fresh = newKernel(14, false, [INTERFACE]);
  const empty = { advbase: 1, advskew: 0, state: 'INIT', peer: '', peer6: '' } as const;
  const made = setVhid(fresh, INTERFACE, VHID, empty, now()).kernel;
  const known = getVhid(made, INTERFACE, VHID) ?? empty;
  const { kernel } = setVhid(made, INTERFACE, VHID, { ...known, advskew }, now());
  const vips = { v4: ['10.1.60.200'], v6: [] };
  apply(node, setAddresses(kernel, INTERFACE, VHID, vips, now()));
}
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('close', () => clients.delete(socket));
  const lines = createInterface({ input: socket });
  lines.on('error', () => undefined);
  lines.on('line', (line) => {
    const asked = JSON.parse(line) as Asked;
    clients.set(socket, asked.node);
    write(socket, { id: asked.id, value: answer(asked) });
  });
});
server.listen(process.argv[2], () => process.send?.('listening'));
process.on('message', (word) => {
  const states = [...kernels].map(([node, { vhids }]) => [node, vhids[0]?.state ?? '']);
  const said: Carp = { states: Object.fromEntries(states) as Carp['states'], changes };
  process.send?.(said);
  if (word === 'forget') changes = [];
});
process.on('disconnect', () => process.exit());

import { stateWord } from '../core/servers/admin.ts';
import type { NodeServers, ServerReading, ServersAnswer } from '../core/answers.ts';
import { serverKey } from '../core/intents.ts';
import { othersTurn } from '../sys/turn.ts';
import type { Tone } from './picture.ts';

/** Rows of the page: more of them are more than anybody reads. */
export const MOST_SERVERS = 400;

export interface Row {
  readonly backend: string;
  readonly server: string;
  /** By node, in the order of the columns; absent: that node has it not. */
  readonly on: (Cell | undefined)[];
  /** Not in service as it should be, on some node. */
  out: boolean;
}

export interface Cell {
  readonly reading: ServerReading;
  readonly state: string;
}

interface Rows {
  readonly nodes: readonly NodeServers[];
  /** In HAProxy's order; where there are more than MOST_SERVERS those out of service come first. */
  readonly rows: readonly Row[];
}

/** An answer never changes, and is shown each second to all who watch: laid out once. */
const laidOut = new WeakMap<ServersAnswer, Rows>();

/** Servers that are laid out in one turn of the loop: some 3 ms. */
const A_TURN = 2000;

/** Every server with what each node has of it. */
export function serverRows(answer: ServersAnswer): Rows {
  const known = laidOut.get(answer);
  if (known !== undefined) return known;
  const steps = layingOut(answer);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lays an answer out before it is shown, with turns for others between. */
export async function layOut(answer: ServersAnswer): Promise<void> {
  for (const steps = layingOut(answer); steps.next().done !== true;) await othersTurn();
}

function* layingOut(answer: ServersAnswer): Generator<void, Rows> {
  const nodes = [...answer.nodes].sort((a, b) => (a.node < b.node ? -1 : 1));
  const all = yield* rowsOf(nodes, new Set(answer.intents.map(({ key }) => key)));
  const rows =
    all.length > MOST_SERVERS
      ? [...all.filter(({ out }) => out), ...all.filter(({ out }) => !out)]
      : all;
  const made = { nodes, rows };
  laidOut.set(answer, made);
  return made;
}

function* rowsOf(
  nodes: readonly NodeServers[],
  wishes: ReadonlySet<string>,
): Generator<void, Row[]> {
  const rows: Row[] = [];
  let laid = 0;
  // A map in a map: a key made of both names costs as much as all the rest.
  const backends = new Map<string, Map<string, Row>>();
  for (const [at, { servers }] of nodes.entries())
    for (const reading of servers) {
      if (++laid % A_TURN === 0) yield;
      const { backend, name } = reading;
      const of = backends.get(backend) ?? new Map<string, Row>();
      if (of.size === 0) backends.set(backend, of);
      const row = of.get(name) ?? { backend, server: name, on: [], out: false };
      if (row.on.length === 0) {
        of.set(name, row);
        rows.push(row);
      }
      const wished = wishes.size > 0 && wishes.has(serverKey('', backend, name));
      const state = stateWord(reading, wished);
      row.on[at] = { reading, state };
      row.out ||= toneOf(state) !== 'good';
    }
  return rows;
}

/** In service; out because somebody wants it so; or out. */
export function toneOf(state: string): Tone {
  const [base = ''] = state.split('/');
  if (state.includes('DOWN')) return 'bad';
  return ['UP', 'no-check'].includes(base) ? 'good' : 'warn';
}

import type { ServerReading, ServersAnswer, Status } from '../../agent/core/answers.ts';
import { adminWord, stateWord } from '../../agent/core/servers/admin.ts';
import type { AdminState } from '../../agent/core/acts.ts';
import { serverNames, wishFor } from '../json/servers.ts';

/** What one round of asking brought. */
export interface Reading {
  /** Monotonic. */
  readonly atMs: number;
  readonly wallMs: number;
  readonly status: Status;
  readonly servers: ServersAnswer;
}

/** What is known now, and what rates are made of. */
export interface Picture {
  readonly context: string;
  readonly now: Reading;
  readonly before: Reading | null;
  /** Why there is no newer reading; null: there is. */
  readonly problem: string | null;
}

export type Sort = 'name' | 'sessions' | 'queue' | 'rate';

/** What is asked about, and then done, on every node. */
export interface Act {
  readonly state: AdminState;
  /** BACKEND/SERVER, or BACKEND for all of its servers. */
  readonly target: string;
  /** The question, with what the row was when it was asked. */
  readonly question: string;
}

/** What the operator has chosen with keys. */
export interface Choice {
  readonly sort: Sort;
  readonly filter: string;
  /** Keys go to the filter. */
  readonly typing: boolean;
  /** A node by its place; null: all of them. */
  readonly node: number | null;
  /** One row a backend instead of one a server. */
  readonly backends: boolean;
  /** Only what does not take traffic as it should. */
  readonly out: boolean;
  /** Rows above the first that is shown. */
  readonly from: number;
  /** The name of the row that keys act on; null: none. */
  readonly marked: string | null;
  /** The keys are explained instead. */
  readonly help: boolean;
  /** What the operator is asked about; null: nothing. */
  readonly question: Act | null;
  /** What is being done; null: nothing. */
  readonly doing: Act | null;
  /** What came of the last act, until the next key; empty: nothing is to be said. */
  readonly notice: string;
}

export const FIRST_CHOICE: Choice = {
  sort: 'name',
  filter: '',
  typing: false,
  node: null,
  backends: false,
  out: false,
  from: 0,
  marked: null,
  help: false,
  question: null,
  doing: null,
  notice: '',
};

/** A server, or all of a backend, on one node. */
export interface Cell {
  readonly state: string;
  readonly weight: string;
  readonly sessions: number;
  readonly queued: number;
  /** New sessions a second between two readings; null: not known yet, or HAProxy was started anew. */
  readonly rate: number | null;
  readonly check: string;
  readonly out: boolean;
  /** Since HAProxy started; null: it does not say. */
  readonly errors: number | null;
  readonly http5xx: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  /** Null for a backend too. */
  readonly responseMs: number | null;
}

export interface Row {
  readonly name: string;
  /** How many there are of it: of a backend all its servers. */
  readonly servers: number;
  /** By node, in order; null where it has no such server or does not answer. */
  readonly cells: readonly (Cell | null)[];
}

/** The rows that the choice leaves, in its order; unsorted they are in HAProxy's. */
export function rowsOf(picture: Picture, choice: Choice): Row[] {
  const rows = choice.backends ? byBackend(serverRows(picture)) : serverRows(picture);
  const wanted = rows.filter(
    ({ name, cells }) =>
      name.toLowerCase().includes(choice.filter.toLowerCase()) &&
      (!choice.out || shown(cells, choice).some((cell) => cell === null || cell.out)),
  );
  if (choice.sort === 'name') return wanted;
  const measure = MEASURES[choice.sort];
  const weighed = wanted.map((row) => ({ row, size: total(shown(row.cells, choice), measure) }));
  return weighed.sort((a, b) => b.size - a.size).map(({ row }) => row);
}

const MEASURES: Readonly<Record<Exclude<Sort, 'name'>, (cell: Cell) => number>> = {
  sessions: ({ sessions }) => sessions,
  queue: ({ queued }) => queued,
  rate: ({ rate }) => rate ?? 0,
};

/** The rows that are shown: from `from` on, or so that the marked one at `at` is among them; -1: none is. */
export function windowOf(
  { from, marked }: Pick<Choice, 'from' | 'marked'>,
  rows: readonly Pick<Row, 'name'>[],
  page: number,
): { readonly from: number; readonly at: number } {
  const at = marked === null ? -1 : rows.findIndex(({ name }) => name === marked);
  const first = Math.max(0, Math.min(from, rows.length - page));
  if (at < 0) return { from: first, at };
  return { from: Math.max(at - page + 1, Math.min(first, at)), at };
}

/** The cells of the chosen node, or all. */
export const shown = (cells: Row['cells'], { node }: Choice): Row['cells'] =>
  node === null ? cells : cells.slice(node, node + 1);

const total = (cells: Row['cells'], of: (cell: Cell) => number): number =>
  cells.reduce((sum, cell) => sum + (cell === null ? 0 : of(cell)), 0);

/** Sessions, queue and rate of a whole node: the sum of its servers; null where it does not answer. */
export function sumsOf(
  picture: Picture,
): ({ readonly sessions: number; readonly queued: number; readonly rate: number | null } | null)[] {
  const rows = serverRows(picture);
  return picture.now.servers.nodes.map(({ problem }, at) => {
    if (problem !== '') return null;
    const cells = rows.flatMap(({ cells: all }) => all[at] ?? []);
    return {
      sessions: total(cells, MEASURES.sessions),
      queued: total(cells, MEASURES.queue),
      rate: cells.some(({ rate }) => rate !== null) ? total(cells, MEASURES.rate) : null,
    };
  });
}

function serverRows({ now, before }: Picture): Row[] {
  const { servers } = now;
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1000;
  const present = servers.nodes.map((one) => byName(one.servers));
  const past = servers.nodes.map(({ node }) =>
    byName(before?.servers.nodes.find((one) => one.node === node)?.servers ?? []),
  );
  return serverNames(servers).map((name) => ({
    name,
    servers: 1,
    cells: present.map((found, at) => {
      const server = found.get(name);
      if (server === undefined) return null;
      return cellOf(servers, server, past[at]?.get(name), seconds);
    }),
  }));
}

const byName = (servers: readonly ServerReading[]): ReadonlyMap<string, ServerReading> =>
  new Map(servers.map((one) => [`${one.backend}/${one.name}`, one]));

function cellOf(
  answer: ServersAnswer,
  server: ServerReading,
  past: ServerReading | undefined,
  seconds: number,
): Cell {
  const wished = wishFor(answer.intents, server) !== null;
  const { sessions, queued, total: count, check, status, adminBits, weight } = server;
  const more = past === undefined ? -1 : count - past.total;
  return {
    state: stateWord(server, wished),
    weight: String(weight),
    sessions: sessions - queued,
    queued,
    // A counter that went back is of another process.
    rate: seconds <= 0 || more < 0 ? null : more / seconds,
    check: check === '' ? '-' : check,
    errors: sum([server.figures.connectErrors, server.figures.responseErrors]),
    http5xx: server.figures.http5xx,
    bytesIn: server.figures.bytesIn,
    bytesOut: server.figures.bytesOut,
    responseMs: server.figures.responseMs,
    out: adminWord(adminBits, wished) !== 'ready' || (status !== 'UP' && status !== 'no check'),
  };
}

/** Of those that are known; null: none is. */
const sum = (counts: readonly (number | null)[]): number | null =>
  counts.reduce((all, one) => (one === null ? all : (all ?? 0) + one), null);

/** One row a backend: how many of its servers take traffic, and their sums. */
function byBackend(rows: readonly Row[]): Row[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const backend = row.name.split('/')[0] ?? '';
    groups.set(backend, [...(groups.get(backend) ?? []), row]);
  }
  return [...groups].map(([name, members]) => ({
    name,
    servers: members.length,
    cells: (members[0]?.cells ?? []).map((_, at) => {
      const cells = members.flatMap(({ cells: all }) => all[at] ?? []);
      if (cells.length === 0) return null;
      const up = cells.filter(({ out }) => !out).length;
      return {
        state: `${up}/${cells.length} up`,
        weight: '',
        sessions: total(cells, MEASURES.sessions),
        queued: total(cells, MEASURES.queue),
        rate: cells.some(({ rate }) => rate !== null) ? total(cells, MEASURES.rate) : null,
        check: '',
        out: up < cells.length,
        errors: sum(cells.map(({ errors }) => errors)),
        http5xx: sum(cells.map(({ http5xx }) => http5xx)),
        bytesIn: sum(cells.map(({ bytesIn }) => bytesIn)),
        bytesOut: sum(cells.map(({ bytesOut }) => bytesOut)),
        responseMs: null,
      };
    }),
  }));
}

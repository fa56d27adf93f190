import type { NodeStatus } from '../../agent/core/answers.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { duration } from '../render/duration.ts';
import { olderLine } from '../render/servers.ts';
import { shortened } from '../render/table.ts';
import { rowsOf, shown, sumsOf, type Cell, type Choice, type Picture, type Row } from './model.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** One column of a node: its head, its width, and what stands in it; numbers to the right. */
interface Column {
  readonly head: string;
  readonly width: number;
  readonly right: boolean;
  readonly text: (cell: Cell) => string;
}

const STATE: Column = { head: 'STATE', width: 10, right: false, text: ({ state }) => state };
const SESSIONS = numbers('SESS', 5, ({ sessions }) => String(sessions));
const QUEUE = numbers('QUEUE', 5, ({ queued }) => String(queued));
const RATE = numbers('RATE/S', 6, ({ rate }) => rateText(rate));
const BESIDE: readonly Column[] = [STATE, SESSIONS, QUEUE, RATE];
const ALONE: readonly Column[] = [
  { ...STATE, width: 16 },
  numbers('WT', 4, ({ weight }) => weight),
  SESSIONS,
  QUEUE,
  { ...RATE, width: 8 },
  { head: 'CHECK', width: 9, right: false, text: ({ check }) => check },
];
const SHORTEST_NAME = 12;
/** Addresses, and drained servers, that have a line of their own. */
const MOST = 4;

function numbers(head: string, width: number, text: (cell: Cell) => string): Column {
  return { head, width, right: true, text };
}

/** "0.4", "120", "12k"; "-" while it is not known. */
function rateText(rate: number | null): string {
  if (rate === null) return '-';
  if (rate < 99.95) return rate.toFixed(1);
  return rate < 100_000 ? String(Math.round(rate)) : `${Math.round(rate / 1000)}k`;
}

/** Rows of the table on a screen of this size. */
export const pageOf = (picture: Picture, { rows }: Size): number =>
  Math.max(1, rows - above(picture).length - 3);

/** The screen of `proxyctl top`: at most `rows` lines, each shorter than `columns`. */
export function topScreen(picture: Picture, choice: Choice, size: Size): string[] {
  // The last column stays free: some terminals wrap when it is written to.
  const width = size.columns - 1;
  const page = pageOf(picture, size);
  const rows = rowsOf(picture, choice);
  const from = Math.max(0, Math.min(choice.from, rows.length - page));
  const part = rows.slice(from, from + page);
  const blank = Array.from({ length: Math.max(0, page - part.length) }, () => '');
  const lines = [...above(picture), ...grid(picture, choice, part, width), ...blank];
  const foot = footer(choice, rows.length, from, page);
  return [...lines.slice(0, Math.max(0, size.rows - 1)), foot].map((line) => cut(line, width));
}

const cut = (line: string, width: number): string =>
  (line.length > width ? `${line.slice(0, Math.max(0, width - 1))}~` : line).trimEnd();

/** Everything above the table. */
function above(picture: Picture): string[] {
  const { context, now, problem } = picture;
  const { status } = now;
  const { alerts } = status;
  const heard = status.nodes.filter(isHeard).length;
  const head = [
    `${context}: ${heard} of ${status.nodes.length} nodes alive`,
    `automation ${status.paused ? 'paused' : 'on'}`,
    alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`,
    clock(now.wallMs),
  ].join(', ');
  const sums = sumsOf(picture);
  const nodes = status.nodes.map((node) => {
    const at = now.servers.nodes.findIndex((one) => one.node === node.node);
    return nodeLine(node, sums[at] ?? null, now.servers.nodes[at]?.problem ?? '');
  });
  return [
    head,
    ...(problem === null ? [] : [`OLD: ${problem}`]),
    ...most(
      addressIds(status).map((id) => addressLine(picture, id)),
      'addresses',
    ),
    ...nodes,
    ...now.servers.nodes.flatMap(olderLine),
    ...most(
      now.servers.intents.flatMap((intent) => wishLine(picture, intent)),
      'servers',
    ),
    '',
  ];
}

/** The first few, and how many more there are. */
const most = (lines: readonly string[], what: string): string[] =>
  lines.length <= MOST
    ? [...lines]
    : [...lines.slice(0, MOST - 1), `and ${lines.length - MOST + 1} more ${what}`];

const clock = (wallMs: number): string => {
  const at = new Date(wallMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
};

/** Who has an address: the MASTER first to the eye. */
function addressLine({ now }: Picture, id: string): string {
  const nodes = now.status.nodes.map((node) => {
    const reading = node.report?.addresses.find(({ address }) => address === id);
    const state = !isHeard(node) || reading === undefined ? '?' : reading.state;
    return `${node.node} ${state}`;
  });
  const [vip = ''] = now.status.nodes.flatMap(
    ({ report }) => report?.addresses.find(({ address }) => address === id)?.vips ?? [],
  );
  return `${id.padEnd(9)} ${vip.padEnd(16)} ${nodes.join(', ')}`;
}

function nodeLine(
  node: NodeStatus,
  sums: ReturnType<typeof sumsOf>[number],
  problem: string,
): string {
  const health = isHeard(node) ? (node.report?.health ?? '?') : '?';
  const start = `${node.node.padEnd(9)} ${health.padEnd(9)}`;
  if (sums === null) return `${start} ${problem === '' ? node.problem : problem}`;
  const { sessions, queued, rate } = sums;
  const version = node.report?.haproxy[0]?.version ?? '?';
  return `${start} HAProxy ${version}, ${sessions} sessions, ${queued} queued, ${rateText(rate)}/s`;
}

/** A server that is out because somebody said so, and what it still has. */
function wishLine({ now }: Picture, intent: Intent): string[] {
  const target = parseServerKey(intent.key);
  if (target === null) return [];
  const readings = now.servers.nodes
    .flatMap(({ servers }) => servers)
    .filter(({ backend, name }) => backend === target.backend && name === target.server);
  const left = readings.reduce((sum, { sessions }) => sum + sessions, 0);
  const least = readings.some(({ uncounted }) => uncounted > 0) ? 'at least ' : '';
  const word = intent.value === 'drain' ? 'drained' : intent.value;
  const since = duration(Math.max(0, now.wallMs - intent.stamp.wallMs));
  const why = intent.reason === '' ? '' : `, "${intent.reason}"`;
  const name = `${target.backend}/${target.server}`;
  return [`${word.padEnd(9)} ${name}, ${least}${left} left, ${since}, by ${intent.actor}${why}`];
}

/** The head of two lines, then the rows: nodes side by side where they fit. */
function grid({ now }: Picture, choice: Choice, rows: readonly Row[], width: number): string[] {
  const names = now.servers.nodes.map(({ node }) => node);
  const fits = width - names.length * widthOf(BESIDE) >= SHORTEST_NAME;
  // More nodes than fit: the first of them, until one is chosen.
  const at = choice.node ?? (fits ? null : 0);
  const columns = at === null ? BESIDE : ALONE;
  const nodes = at === null ? names : names.slice(at, at + 1);
  const room = width - nodes.length * widthOf(columns);
  const line = (name: string, cells: readonly string[]): string =>
    [shortened(name, room).padEnd(room), ...cells].join('').trimEnd();
  return [
    line(
      '',
      nodes.map((node) => ` ${node}`.padEnd(widthOf(columns))),
    ),
    line(
      choice.backends ? 'BACKEND' : 'SERVER',
      nodes.map(() => heads(columns)),
    ),
    ...rows.map(({ name, cells }) =>
      line(
        name,
        shown(cells, { ...choice, node: at }).map((cell) => cellText(columns, cell)),
      ),
    ),
  ];
}

const widthOf = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width + 1, 0);

const placed = (text: string, { width, right }: Column): string => {
  const short = shortened(text, width);
  return ` ${right ? short.padStart(width) : short.padEnd(width)}`;
};

const heads = (columns: readonly Column[]): string =>
  columns.map((column) => placed(column.head, column)).join('');

const cellText = (columns: readonly Column[], cell: Cell | null): string =>
  columns
    .map((column, at) => placed(cell === null ? (at === 0 ? '?' : '') : column.text(cell), column))
    .join('');

function footer(choice: Choice, count: number, from: number, page: number): string {
  if (choice.typing) return `/${choice.filter}_   Enter: keep, Esc: all`;
  const filter = choice.filter === '' ? '' : ` with "${choice.filter}"`;
  const last = Math.min(count, from + page);
  const which = `${count === 0 ? 0 : from + 1}-${last} of ${count}${choice.out ? ' out' : ''}${filter}`;
  return `${which}   q quit  / filter  Tab node  n s u r sort  b backends  o out only`;
}

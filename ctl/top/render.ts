import type { NodeStatus } from '../../agent/core/answers.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { Intent } from '../../agent/core/model.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { duration } from '../render/duration.ts';
import { olderLine } from '../render/servers.ts';
import { alertLine } from '../render/alerts.ts';
import { cutEnd, displayWidth, padded, shortened } from '../render/width.ts';
import { wrapped } from '../render/wrapped.ts';
import { forTerminal } from '../streams.ts';
import { aloneWithin, BESIDE, cellText, heads, rateText, widthOf } from './columns.ts';
import { HELP } from './help.ts';
import { rowsOf, shown, sumsOf, windowOf } from './model.ts';
import type { Choice, Picture, Row } from './model.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const SHORTEST_NAME = 12;
/** Addresses, and drained servers, that have a line of their own. */
const MOST = 4;
const MOST_ALERTS = 5;
/** Lines of what came of an act. */
const MOST_SAID = 4;

/** Rows of the table on a screen of this size. */
export const pageOf = (picture: Picture, choice: Choice, { rows, columns }: Size): number =>
  Math.max(1, rows - above(picture, columns - 1).length - 3 - said(choice, columns - 1).length);

/** The screen of `proxyctl top`: at most `rows` lines, each narrower than `columns`. */
export function topScreen(picture: Picture, choice: Choice, size: Size): string[] {
  // The last column stays free: some terminals wrap when it is written to.
  const width = size.columns - 1;
  if (choice.help) return HELP.slice(0, size.rows).map((line) => cut(line, width));
  const page = pageOf(picture, choice, size);
  const rows = rowsOf(picture, choice);
  const { from } = windowOf(choice, rows, page);
  const part = rows.slice(from, from + page);
  const blank = Array.from({ length: Math.max(0, page - part.length) }, () => '');
  const lines = [...above(picture, width), ...grid(picture, choice, part, width), ...blank];
  const foot = [...said(choice, width), footer(choice, rows.length, from, page)].slice(-size.rows);
  return [...lines.slice(0, Math.max(0, size.rows - foot.length)), ...foot].map((line) =>
    cut(line, width),
  );
}

const cut = (line: string, width: number): string =>
  cutEnd(forTerminal(line), Math.max(1, width)).trimEnd();

/** What came of the last act, above the footer; the beginning of it where it is long. */
function said({ notice }: Choice, width: number): string[] {
  if (notice === '') return [];
  const lines = wrapped(forTerminal(notice), 2, Math.max(SHORTEST_NAME, width)).split('\n');
  const [last = ''] = lines.slice(MOST_SAID - 1);
  return lines.length <= MOST_SAID ? lines : [...lines.slice(0, MOST_SAID - 1), `${last} ...`];
}

/** Everything above the table. */
function above(picture: Picture, width: number): string[] {
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
      addressIds(status).map((id) => addressLines(picture, id, width)),
      'addresses',
    ).flat(),
    ...nodes,
    ...most(
      alerts.map((alert) => [alertLine(alert, { nowMs: now.atMs, wallMs: now.wallMs })]),
      'alerts',
      MOST_ALERTS,
    ).flat(),
    ...now.servers.nodes.flatMap(olderLine),
    ...most(
      now.servers.intents.map((intent) => wishLine(picture, intent)).filter(([line]) => line),
      'servers',
    ).flat(),
    '',
  ];
}

/** The first few, each with its lines, and how many more there are. */
const most = (groups: readonly string[][], what: string, limit = MOST): string[][] =>
  groups.length <= limit
    ? [...groups]
    : [...groups.slice(0, limit - 1), [`and ${groups.length - limit + 1} more ${what}`]];

const clock = (wallMs: number): string => {
  const at = new Date(wallMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
};

/** Who has an address; its further IPs behind that, or below where it would be too long. */
function addressLines({ now }: Picture, id: string, width: number): string[] {
  const nodes = now.status.nodes.map((node) => {
    const reading = node.report?.addresses.find(({ address }) => address === id);
    const state = !isHeard(node) || reading === undefined ? '?' : reading.state;
    return `${node.node} ${state}`;
  });
  const [vip = '', ...more] = new Set(
    now.status.nodes.flatMap(
      ({ report }) => report?.addresses.find(({ address }) => address === id)?.vips ?? [],
    ),
  );
  const line = `${padded(id, 9)} ${vip.padEnd(16)} ${nodes.join(', ')}`;
  if (more.length === 0) return [line];
  const beside = `${line}, ${more.join(', ')}`;
  return displayWidth(beside) <= width ? [beside] : [line, `${' '.repeat(10)}${more.join(', ')}`];
}

function nodeLine(
  node: NodeStatus,
  sums: ReturnType<typeof sumsOf>[number],
  problem: string,
): string {
  const health = isHeard(node) ? (node.report?.health ?? '?') : '?';
  const start = `${padded(node.node, 9)} ${health.padEnd(9)}`;
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
  const columns = at === null ? BESIDE : aloneWithin(width - SHORTEST_NAME);
  const nodes = at === null ? names : names.slice(at, at + 1);
  const room = width - nodes.length * widthOf(columns);
  const line = (name: string, cells: readonly string[]): string =>
    [padded(shortened(name, room), room), ...cells].join('').trimEnd();
  return [
    line(
      '',
      nodes.map((node) => padded(` ${node}`, widthOf(columns))),
    ),
    line(
      `${choice.sort === 'name' ? '>' : ''}${choice.backends ? 'BACKEND' : 'SERVER'}`,
      nodes.map(() => heads(columns, choice.sort)),
    ),
    ...rows.map(({ name, cells }) =>
      line(
        name === choice.marked ? `>${name}` : name,
        shown(cells, { ...choice, node: at }).map((cell) => cellText(columns, cell)),
      ),
    ),
  ];
}

function footer(choice: Choice, count: number, from: number, page: number): string {
  const { typing, question, doing } = choice;
  if (question !== null) return `${question.question} y: yes, any other key: no`;
  if (typing) return `/${choice.filter}_   Enter: keep, Esc: all`;
  const filter = choice.filter === '' ? '' : ` with "${choice.filter}"`;
  const last = Math.min(count, from + page);
  const which = `${count === 0 ? 0 : from + 1}-${last} of ${count}${choice.out ? ' out' : ''}${filter}`;
  if (doing !== null) return `${which}   ${doing.state} ${doing.target} is under way ...`;
  return `${which}   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out`;
}

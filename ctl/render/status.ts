import type { NodeStatus, Status } from '../../agent/core/acts.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { AddressReport, Intent, NodeReport } from '../../agent/core/model.ts';
import { clockTime, duration } from './duration.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

export interface Moment {
  /** Monotonic, the clock the status was converted with. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** Heard and fresh: its values may be shown as present. */
export const isHeard = ({ report, problem }: NodeStatus): boolean =>
  report !== null && problem === '';

/** The screen of `proxyctl status`: at most 80 columns, ASCII. */
export function statusScreen(status: Status, context: string, tookMs: number, at: Moment): string {
  const heard = status.nodes.filter(isHeard).length;
  const alerts = alertLines(status);
  const head = [
    `${heard} of ${status.nodes.length} nodes alive`,
    `automation ${status.paused ? 'paused' : 'on'}`,
    alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`,
  ].join(', ');
  const answered = `${status.node} answered, ${Math.round(tookMs)} ms`;
  const left = `${context}: ${head}`;
  const title =
    left.length + answered.length + 2 <= 80
      ? left.padEnd(80 - answered.length) + answered
      : `${left}\n${answered}`;
  const parts = [title, addresses(status, at), nodes(status, at)];
  const notes = [
    ...switched(status, at),
    ...drained(status, at),
    ...alerts,
    ...decisions(status, at),
  ];
  if (notes.length > 0) parts.push(notes.map((line) => wrapped(line)).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

interface Row {
  readonly node: NodeStatus;
  readonly reading: AddressReport;
}

const rowsOf = (status: Status, id: string): Row[] =>
  status.nodes.flatMap((node) =>
    (node.report?.addresses ?? [])
      .filter(({ address }) => address === id)
      .map((reading) => ({ node, reading })),
  );

/** Every address any node reports, in order. */
export const addressIds = (status: Status): string[] =>
  [
    ...new Set(
      status.nodes.flatMap(({ report }) => (report?.addresses ?? []).map(({ address }) => address)),
    ),
  ].sort();

function addresses(status: Status, at: Moment): string {
  const ids = addressIds(status);
  if (ids.length === 0) return 'no CARP address is known on any node';
  const lines = ids.flatMap((id) => {
    const rows = rowsOf(status, id);
    const owner = status.verdicts.find(({ address }) => address === id)?.owner ?? null;
    const vips = rows[0]?.reading.vips ?? [];
    const length = Math.max(rows.length, vips.length);
    return Array.from({ length }, (_, line) => {
      const row = rows[line];
      const start = [line === 0 ? id : '', vips[line] ?? ''];
      if (row === undefined) return [...start, '', '', '', ''];
      const { node, reading } = row;
      const name = `${node.node === owner ? '* ' : '  '}${node.node}`;
      return [...start, name, ...carp(node, reading), seen(node)];
    });
  });
  const grid = table(['ADDRESS', 'VIP', '  NODE', 'CARP', 'SKEW', 'SEEN'], lines);
  const pins = status.verdicts.flatMap(({ address, pin }) =>
    pin === null ? [] : [`${address} pinned to ${pin.value}${byWhom(pin, at)}`],
  );
  return [grid, ...pins].join('\n');
}

/** What a node not heard said last stands in brackets, never as present. */
function carp(node: NodeStatus, { state, advskew, baseAdvskew }: AddressReport): [string, string] {
  const base = baseAdvskew !== null && baseAdvskew !== advskew ? ` (${baseAdvskew})` : '';
  if (isHeard(node)) return [state, `${advskew}${base}`];
  return [`? (${state})`, `(${advskew})`];
}

const seen = ({ ageMs }: NodeStatus): string => (ageMs === null ? 'never' : duration(ageMs));

function nodes(status: Status, at: Moment): string {
  const rows = status.nodes.map((node) => {
    const { report } = node;
    if (report === null || !isHeard(node)) return [node.node, node.peerClass, '', '', '', ''];
    return [node.node, report.health, haproxy(report, at), backends(report), ...rest(report, at)];
  });
  const head = ['NODE', 'HEALTH', 'HAPROXY', 'BACKENDS', 'SESSIONS', 'CERTIFICATES'];
  return table(head, rows, [4]);
}

function haproxy({ haproxy: [one] }: NodeReport, at: Moment): string {
  if (one === undefined) return 'none';
  return one.state === 'up'
    ? `${one.version}, ${duration(Math.max(0, at.nowMs - one.startedMs))}`
    : one.state;
}

function backends({ haproxy: all }: NodeReport): string {
  const list = all.flatMap((one) => (one.state === 'up' ? one.backends : []));
  const down = list.filter(({ up }) => !up).length;
  return `${list.length - down} up${down === 0 ? '' : `, ${down} down`}`;
}

function rest({ haproxy: all }: NodeReport, at: Moment): [string, string] {
  const sessions = all.reduce((sum, one) => sum + one.sessions, 0);
  const ends = all.flatMap(({ certificates }) =>
    certificates.map(({ notAfter }) => Date.parse(notAfter)),
  );
  const first = Math.floor((Math.min(...ends) - at.wallMs) / 86_400_000);
  return [String(sessions), ends.length === 0 ? 'none' : `${ends.length}, first ends ${first} d`];
}

/** Maintenance and pause, by whom and until when. */
function switched(status: Status, at: Moment): string[] {
  return status.intents.flatMap((intent) => {
    const [kind, node = ''] = intent.key.split('/');
    if (kind === 'maintenance')
      return [`maint     ${node} takes no addresses${byWhom(intent, at)}`];
    return kind === 'pause' ? [`paused    nothing moves by itself${byWhom(intent, at)}`] : [];
  });
}

function drained(status: Status, at: Moment): string[] {
  return status.intents.flatMap((intent) => {
    const target = parseServerKey(intent.key);
    if (target === null) return [];
    const where = status.nodes.flatMap(({ node, report }) => {
      const applied = report?.applied.find(({ key }) => key === intent.key);
      return applied?.problem === '' ? [node] : [];
    });
    const word = intent.value === 'drain' ? 'drained' : intent.value;
    const on = where.length === status.nodes.length ? 'every node' : where.join(', ') || 'no node';
    return [`${word.padEnd(9)} ${target.backend}/${target.server} on ${on}${byWhom(intent, at)}`];
  });
}

function byWhom({ actor, reason, untilWallMs, stamp }: Intent, at: Moment): string {
  const since = duration(Math.max(0, at.wallMs - stamp.wallMs));
  const until = untilWallMs === null ? '' : ` until ${clockTime(untilWallMs, at.wallMs)}`;
  return `, ${since}, by ${actor}${until}${reason === '' ? '' : `, "${reason}"`}`;
}

/** Alerts of the decision, what each node cannot observe, and nodes that are not heard. */
export function alertLines(status: Status): string[] {
  const silent = status.nodes
    .filter((node) => !isHeard(node))
    .map(({ node, problem }) => `alert     ${node} is not heard: ${problem}`);
  const decided = status.alerts.map(({ subject, text }) => `alert     ${subject}: ${text}`);
  const own = status.nodes
    .filter(isHeard)
    .flatMap(({ node, report }) => [
      ...(report?.problems ?? []).map(
        ({ subject, cause, remedy }) => `alert     ${node}: ${subject}: ${cause}; ${remedy}`,
      ),
      ...(report?.haproxy ?? [])
        .filter(({ problem }) => problem !== '')
        .map(({ state, problem }) => `alert     ${node}: HAProxy ${state}: ${problem}`),
      ...(report !== null && report?.health === 'degraded'
        ? [`alert     ${node}: ${report.healthReason}`]
        : []),
    ]);
  return [...silent, ...decided, ...own];
}

const decisions = (status: Status, at: Moment): string[] =>
  status.verdicts.map(
    ({ reason, sinceMs }) =>
      `decision  ${reason} (${duration(Math.max(0, at.nowMs - sinceMs))} ago)`,
  );

import type { NodeStatus, Status } from '../../agent/core/answers.ts';
import { lastDrills } from '../../agent/core/drill.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { parseServerKey } from '../../agent/core/intents.ts';
import type { AddressReport, Intent, NodeReport } from '../../agent/core/model.ts';
import { hostSessions, olderText } from '../../agent/core/older.ts';
import type { Moment } from '../json/wish.ts';
import { alertLine } from './alerts.ts';
import { lastDrillLine } from './drill.ts';
import { clockTime, duration } from './duration.ts';
import { table } from './table.ts';
import { columns, displayWidth, padded, proseColumns } from './width.ts';
import { wrapped } from './wrapped.ts';

/** Where the text of a note begins. */
const INDENT = 10;

/** The screen of `proxyctl status`, no wider than the terminal. */
export function statusScreen(status: Status, context: string, tookMs: number, at: Moment): string {
  const heard = status.nodes.filter(isHeard).length;
  const { alerts } = status;
  const head = [
    `${heard} of ${status.nodes.length} nodes alive`,
    `automation ${status.paused ? 'paused' : 'on'}`,
    alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`,
  ].join(', ');
  const answered = `${status.node} answered, ${Math.round(tookMs)} ms`;
  const left = `${context}: ${head}`;
  const room = proseColumns() - displayWidth(answered);
  const title =
    displayWidth(left) + 2 <= room
      ? padded(left, room) + answered
      : `${wrapped(left, 2)}\n${wrapped(answered, 2)}`;
  const notes = [
    ...switched(status, at),
    ...pinned(status, at),
    ...drained(status, at),
    ...older(status),
    ...polling(status),
    ...lastDrills(status.intents, at.wallMs).map((one) => lastDrillLine(one, at.wallMs)),
    ...alerts.map((alert) => alertLine(alert, at)),
    ...decisions(status, at),
  ].map((line) => wrapped(line));
  return `${[title, addresses(status), nodes(status, at), notes.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
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

function addresses(status: Status): string {
  const ids = addressIds(status);
  if (ids.length === 0) return 'no CARP address is known on any node';
  const beside = addressGrid(status, ids, true);
  const fits = beside.split('\n').every((line) => displayWidth(line) <= columns());
  // Addresses are never cut: where they make a line too long they stand below.
  const grid = fits ? beside : addressGrid(status, ids, false);
  const below = fits
    ? []
    : ids.map((id) => wrapped(`${id.padEnd(INDENT - 1)} ${vipsOf(status, id).join(' ')}`, INDENT));
  return [grid, ...below].join('\n');
}

const vipsOf = (status: Status, id: string): readonly string[] =>
  rowsOf(status, id)[0]?.reading.vips ?? [];

function addressGrid(status: Status, ids: readonly string[], withVips: boolean): string {
  const lines = ids.flatMap((id) => {
    const rows = rowsOf(status, id);
    const owner = status.verdicts.find(({ address }) => address === id)?.owner ?? null;
    const vips = withVips ? vipsOf(status, id) : [];
    const length = Math.max(rows.length, vips.length);
    return Array.from({ length }, (_, line) => {
      const row = rows[line];
      const start = [line === 0 ? id : '', ...(withVips ? [vips[line] ?? ''] : [])];
      if (row === undefined) return [...start, '', '', '', ''];
      const { node, reading } = row;
      const name = `${node.node === owner ? '* ' : '  '}${node.node}`;
      return [...start, name, ...carp(node, reading), seen(node)];
    });
  });
  const head = ['ADDRESS', ...(withVips ? ['VIP'] : []), '  NODE', 'CARP', 'SKEW', 'SEEN'];
  return table(head, lines, { columns: withVips ? Infinity : 'fits' });
}

/** What a node not heard said last stands in brackets, never as present. */
function carp(node: NodeStatus, { state, advskew, baseAdvskew }: AddressReport): [string, string] {
  const base = baseAdvskew !== null && baseAdvskew !== advskew ? ` (${baseAdvskew})` : '';
  if (isHeard(node)) return [state, `${advskew}${base}`];
  return [`? (${state})`, `(${advskew})`];
}

const seen = ({ ageMs }: NodeStatus): string => (ageMs === null ? 'never' : duration(ageMs));

function nodes(status: Status, at: Moment): string {
  const full = nodeGrid(status, at, false);
  if (full.split('\n').every((line) => displayWidth(line) <= columns())) return full;
  return nodeGrid(status, at, true);
}

/** `brief` leaves out what a narrow screen has no room for. */
function nodeGrid(status: Status, at: Moment, brief: boolean): string {
  const rows = status.nodes.map((node) => {
    const { report } = node;
    if (report === null || !isHeard(node)) return [node.node, node.peerClass, '', '', '', ''];
    const { health } = report;
    const now = [haproxy(report, at, brief), backends(report), ...rest(report, at, brief)];
    return [node.node, health, ...now];
  });
  const head = ['NODE', 'HEALTH', 'HAPROXY', 'BACKENDS', brief ? 'SESS' : 'SESSIONS'];
  return table([...head, brief ? 'CERTS' : 'CERTIFICATES'], rows, {
    right: [4],
    columns: brief ? 'fits' : Infinity,
  });
}

function haproxy({ haproxy: [one] }: NodeReport, at: Moment, brief: boolean): string {
  if (one === undefined) return 'none';
  if (one.state !== 'up') return one.state;
  return brief ? one.version : `${one.version}, ${duration(Math.max(0, at.nowMs - one.startedMs))}`;
}

function backends({ haproxy: all }: NodeReport): string {
  const list = all.flatMap((one) => (one.state === 'up' ? one.backends : []));
  const down = list.filter(({ up }) => !up).length;
  return `${list.length - down} up${down === 0 ? '' : `, ${down} down`}`;
}

function rest(report: NodeReport, at: Moment, brief: boolean): [string, string] {
  const { haproxy: all } = report;
  const ends = all.flatMap(({ certificates }) =>
    certificates.map(({ notAfter }) => Date.parse(notAfter)),
  );
  const days = Math.floor((Math.min(...ends) - at.wallMs) / 86_400_000);
  const first = days < 0 ? 'first has ended' : `${brief ? '' : 'first ends '}${days} d`;
  return [String(hostSessions(report)), ends.length === 0 ? 'none' : `${ends.length}, ${first}`];
}

/** Maintenance and pause, by whom and until when. */
function switched(status: Status, at: Moment): string[] {
  return status.intents.flatMap((intent) => {
    const [kind, node = ''] = intent.key.split('/');
    if (kind === 'maintenance')
      return [`node out  ${node} in maintenance, takes no addresses${byWhom(intent, at)}`];
    return kind === 'pause' ? [`paused    nothing moves by itself${byWhom(intent, at)}`] : [];
  });
}

const pinned = (status: Status, at: Moment): string[] =>
  status.verdicts.flatMap(({ address, pin }) =>
    pin === null ? [] : [`pinned    ${address} to ${pin.value}${byWhom(pin, at)}`],
  );

function drained(status: Status, at: Moment): string[] {
  return status.intents.flatMap((intent) => {
    const target = parseServerKey(intent.key);
    if (target === null) return [];
    const where = status.nodes.flatMap(({ node, report }) => {
      const applied = report?.applied.find(({ key }) => key === intent.key);
      return applied?.problem === '' ? [node] : [];
    });
    // Not the words of a node's maintenance, which stand beside it.
    const word = intent.value === 'drain' ? 'drained' : 'out';
    const on = where.length === status.nodes.length ? 'every node' : where.join(', ') || 'no node';
    const what = word === 'out' ? ', server maint' : '';
    return [
      `${word.padEnd(9)} ${target.backend}/${target.server} on ${on}${what}${byWhom(intent, at)}`,
    ];
  });
}

/** Processes that a reload has left: a move cuts their sessions, and a drain waits for them. */
const older = ({ nodes: all }: Status): string[] =>
  all.filter(isHeard).flatMap(({ node, report }) =>
    (report?.haproxy ?? [])
      .map((one) => olderText(one.older))
      .filter((text) => text !== '')
      .map((text) => `older     ${node}: ${text}`),
  );

/** No devd, as in a jail, or one that has not told anything yet: changes are noticed up to a second late. */
function polling({ nodes }: Status): string[] {
  const where = nodes.flatMap(({ node, report }) =>
    report?.carpEvents === 'polling' ? [node] : [],
  );
  return where.length === 0
    ? []
    : [`polling   CARP every second on ${where.join(', ')}: nothing heard of devd`];
}

function byWhom({ actor, reason, untilWallMs, stamp }: Intent, at: Moment): string {
  const since = duration(Math.max(0, at.wallMs - stamp.wallMs));
  const until = untilWallMs === null ? '' : ` until ${clockTime(untilWallMs, at.wallMs)}`;
  return `, ${since}, by ${actor}${until}${reason === '' ? '' : `, "${reason}"`}`;
}

const decisions = (status: Status, at: Moment): string[] =>
  status.verdicts.map(
    ({ reason, sinceMs }) =>
      `decision  ${reason} (${duration(Math.max(0, at.nowMs - sinceMs))} ago)`,
  );

import { isOfKind, type EventSeverity, type PairEvent } from '../events/events.ts';

/** Which events a target is for. */
export interface NotifyFilter {
  readonly name: string;
  /** Alerts less grave than this are not told; their end is where they were told. */
  readonly severity: Exclude<EventSeverity, 'unknown'>;
  /** Ids of alerts; empty: all. */
  readonly alerts: readonly string[];
  /** Kinds of events, or the words before their dashes. */
  readonly kinds: readonly string[];
}

/** A target as its node tells it to the others. */
interface NotifyTarget {
  readonly name: string;
  /** What was tried last failed, lately. */
  readonly failing: boolean;
}

/** What a node tells the others of notifications, in its report. */
export interface NotifyReport {
  readonly targets: readonly NotifyTarget[];
  /** Its own events that are not known to be told: the oldest. */
  readonly notices: readonly PairEvent[];
  /** What it has told of late, or found not to be for that target: TARGET ID each, the newest last. */
  readonly told: readonly string[];
  /** The alerts that stand there, by keyOf: one that the others take for open and is not here is over. */
  readonly raised: readonly string[];
}

export const NO_NOTIFY: NotifyReport = { targets: [], notices: [], told: [], raised: [] };

/** The most of each list in a report. */
export const MOST_NOTICES = 20;
export const MOST_TOLD = 200;
export const MOST_TARGETS = 16;
export const MOST_RAISED = 200;

/** The nodes that raised what was told and is not over, by keyOf. */
export type Open = ReadonlyMap<string, readonly string[]>;

/** Something to tell: an event, or an alert that was raised and is over already. */
export interface Told {
  readonly event: PairEvent;
  /** It was raised and is over since; `event` is its end. */
  readonly brief: boolean;
}

/** Told in one message, with the events that need not be told any more once it has arrived. */
export interface Batch {
  readonly told: readonly Told[];
  readonly ids: readonly string[];
}

/** Alerts that are about the node that raises them; what both raise of another kind is one trouble. */
const OF_A_NODE: readonly string[] = [
  'fenced',
  'haproxy',
  'degraded',
  'partly',
  'drift',
  'problem',
].concat('no-base', 'by-hand', 'move-failed', 'carp-config', 'not-allowed', 'notify-failing');

/** The same for all events of one trouble, whichever node notices it; null: no alert. */
export function keyOf({ kind, alert, subject, node }: PairEvent): string | null {
  return isOfKind(kind, 'alert') && alert !== undefined ? alertKey(alert, subject, node) : null;
}

/** keyOf for an alert of this id that the node raises. */
export function alertKey(alert: string, subject: string, node: string): string {
  const own = OF_A_NODE.some((one) => isOfKind(alert, one)) && !subject.startsWith('certificate');
  return own ? `${alert} ${subject} ${node}` : `${alert} ${subject}`;
}

const GRAVITY = { info: 0, unknown: 1, warn: 1, fail: 2 } as const;
const gravity = (word: string | undefined): number =>
  word !== undefined && word in GRAVITY ? GRAVITY[word as EventSeverity] : 0;

/** Whether the target is for it, its severity before counted too. */
export function isFor(filter: NotifyFilter, event: PairEvent): boolean {
  if (!filter.kinds.some((one) => isOfKind(event.kind, one))) return false;
  if (keyOf(event) === null) return true;
  const { severity, from, alert = '' } = event;
  const grave = Math.max(gravity(severity), gravity(from)) >= GRAVITY[filter.severity];
  return grave && (filter.alerts.length === 0 || filter.alerts.includes(alert));
}

/** What is open for a target once this event is settled for it. */
export function opened(filter: NotifyFilter, open: Open, event: PairEvent): Open {
  const key = keyOf(event);
  if (key === null) return open;
  const nodes = open.get(key);
  const rest = (nodes ?? []).filter((one) => one !== event.node);
  const after = new Map(open);
  if (event.kind !== 'alert-cleared') {
    if (nodes === undefined && !isFor(filter, event)) return open;
    return after.set(key, [...rest, event.node]);
  }
  if (rest.length === 0) after.delete(key);
  else after.set(key, rest);
  return after;
}

/**
 * Without the alerts that `node` holds open and that do not stand there any more: their end was
 * seen to while this node did not hear of it.
 */
export function withoutOver(open: Open, node: string, raised: readonly string[]): Open {
  const over = [...open].filter(([key, nodes]) => nodes.includes(node) && !raised.includes(key));
  if (over.length === 0) return open;
  const after = new Map(open);
  for (const [key, nodes] of over) {
    const rest = nodes.filter((one) => one !== node);
    if (rest.length === 0) after.delete(key);
    else after.set(key, rest);
  }
  return after;
}

/** More than so many at once are one message. */
const MOST_SINGLE = 3;
/** So many stand in one message. */
const MOST_LISTED = 50;

/**
 * What a target is to be told of these events, the oldest first. An alert that both nodes raise is
 * told once, and its end once it is over on both; one that is raised and over among these is told as
 * one. An end is told also where its beginning is not known to have been.
 */
export function batches(filter: NotifyFilter, open: Open, events: readonly PairEvent[]): Batch[] {
  const lines: { told: Told | null; ids: string[] }[] = [];
  const raised = new Map<string, { told: Told | null; ids: string[] }>();
  const silent: string[] = [];
  let now = open;
  for (const event of events) {
    const key = keyOf(event);
    const known = key !== null && now.has(key);
    const told = isFor(filter, event) || (known && event.kind === 'alert-cleared');
    now = opened(filter, now, event);
    const over = event.kind === 'alert-cleared';
    if (!told || (key !== null && known && (over ? now.has(key) : event.kind === 'alert-raised'))) {
      silent.push(event.id);
      continue;
    }
    const before = key === null ? undefined : raised.get(key);
    if (key !== null && over && before !== undefined) {
      before.told = { event, brief: true };
      before.ids.push(event.id);
      raised.delete(key);
      continue;
    }
    const line = { told: { event, brief: false }, ids: [event.id] };
    lines.push(line);
    if (key !== null && event.kind === 'alert-raised') raised.set(key, line);
  }
  const made: Batch[] =
    lines.length <= MOST_SINGLE
      ? lines.map(({ told, ids }) => ({ told: told === null ? [] : [told], ids }))
      : inParts(lines);
  const [first, ...others] = made;
  if (first === undefined) return silent.length === 0 ? [] : [{ told: [], ids: silent }];
  return [{ ...first, ids: [...first.ids, ...silent] }, ...others];
}

function inParts(lines: readonly { told: Told | null; ids: readonly string[] }[]): Batch[] {
  const parts: Batch[] = [];
  for (let at = 0; at < lines.length; at += MOST_LISTED) {
    const part = lines.slice(at, at + MOST_LISTED);
    parts.push({
      told: part.flatMap(({ told }) => told ?? []),
      ids: part.flatMap(({ ids }) => ids),
    });
  }
  return parts;
}

/** A node that is heard, with the targets it has. */
export interface Teller {
  readonly node: string;
  readonly targets: readonly NotifyTarget[];
}

/** The one that tells a target: the first by name that has it and can, else the first that has it. */
export function tellerOf(target: string, heard: readonly Teller[]): string | null {
  const having = heard
    .flatMap(({ node, targets }) =>
      targets.filter(({ name }) => name === target).map(({ failing }) => ({ node, failing })),
    )
    .sort((a, b) => (a.node < b.node ? -1 : 1));
  return (having.find(({ failing }) => !failing) ?? having[0])?.node ?? null;
}

/** What came of a test of one target. */
export interface TestedTarget {
  readonly name: string;
  /** Empty: it has arrived there. */
  readonly problem: string;
  readonly tookMs: number;
}

/** What `proxyctl notify test` shows. */
export interface NotifyTested {
  readonly node: string;
  readonly nodes: readonly {
    readonly node: string;
    /** Why it could not be asked; empty: it was. */
    readonly problem: string;
    readonly targets: readonly TestedTarget[];
  }[];
}

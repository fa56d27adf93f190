import type { ActHeader } from './acts.ts';
import type { Intents } from './intents.ts';
import type { Intent } from './model.ts';

/** What is rehearsed: a planned move, a HAProxy whose frontends are closed, an agent that ends. */
export const DRILL_KINDS = ['failover', 'haproxy', 'agent'] as const;
export type DrillKind = (typeof DRILL_KINDS)[number];

/**
 * How a HAProxy stops serving: it closes its frontends itself, or its agent only counts them as
 * closed while it goes on serving.
 */
export const DRILL_MEANS = ['frontends', 'health'] as const;
export type DrillMeans = (typeof DRILL_MEANS)[number];

/** The longest that the other node may be made to serve, and that clients may wait, ms. */
export const LONGEST_DRILL_MS = 600_000;

export interface DrillAct {
  readonly header: ActHeader;
  readonly kind: DrillKind;
  /** Whose loss is rehearsed; null: the MASTER, of `agent` another node than the one that is asked. */
  readonly node: string | null;
  /** Null: what is safe on the system of that node; of `haproxy` alone. */
  readonly means: DrillMeans | null;
  /** How long the other node serves before everything is put back, ms. */
  readonly stayMs: number;
  /** Clients that wait longer than this end it, ms. */
  readonly maxOutageMs: number;
}

/** What clients of the addresses saw, as whoever watched them says; told while it goes on, or after it. */
export interface DrillSeenAct {
  readonly header: ActHeader;
  /** The request id of the drill. */
  readonly drill: string;
  /** It is to end now: everything is put back at once. */
  readonly stop: boolean;
  /** Why; empty where it does not stop. */
  readonly why: string;
  readonly sent: number;
  readonly lost: number;
  /** The longest time without an answer, ms. */
  readonly darkMs: number;
}

/** What a drill is going to do, for whoever watches it from outside. */
export interface DrillPlan {
  readonly node: string;
  /** Null: nothing of HAProxy is closed. */
  readonly means: DrillMeans | null;
  /** HOST:PORT of the addresses, where clients are answered. */
  readonly probes: readonly string[];
}

const DRILL_STATES = ['running', 'passed', 'failed', 'interrupted'] as const;
export type DrillState = (typeof DRILL_STATES)[number];

/** The last drill of its kind: the value of a decision, so that every node has it on its disk. */
export interface DrillRecord {
  readonly kind: DrillKind;
  readonly state: DrillState;
  readonly node: string;
  /** Whose agent carries it out. */
  readonly by: string;
  readonly means: DrillMeans | null;
  /** By the clock of `by`, Unix ms. */
  readonly startedWallMs: number;
  readonly endedWallMs: number | null;
  /** Running after this it is interrupted, Unix ms. */
  readonly deadlineWallMs: number;
  readonly maxOutageMs: number;
  /** Null: nobody has said. */
  readonly darkMs: number | null;
  readonly sent: number | null;
  readonly lost: number | null;
  /** Why it did not pass; empty where it did, and while it runs. */
  readonly why: string;
  /** Addresses by the node that had them before. */
  readonly homes: Readonly<Record<string, readonly string[]>>;
}

/** A drill with who asked for it. */
export interface LastDrill extends DrillRecord {
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
}

const DRILL_PREFIX = 'drill/';
export const drillKey = (kind: DrillKind): string => `${DRILL_PREFIX}${kind}`;

/** The value of the decision that keeps it. */
export const drillValue = (record: DrillRecord): string => JSON.stringify(record);

/** The drill in a decision; null for one of another key, taken back, or not understood. */
export function drillOf({
  key,
  value,
  deleted,
  actor,
  reason,
  requestId,
}: Intent): LastDrill | null {
  // Among thousands of wishes there are three of these.
  if (deleted || !key.startsWith(DRILL_PREFIX)) return null;
  const kind = DRILL_KINDS.find((one) => key === drillKey(one));
  if (kind === undefined) return null;
  let found: unknown;
  try {
    found = JSON.parse(value);
  } catch {
    return null;
  }
  if (!isRecord(found)) return null;
  return { ...found, kind, actor, reason, requestId };
}

/** The last of each kind, in the order of the kinds; one nobody ends any more is interrupted. */
export const lastDrills = (intents: Iterable<Intent>, wallMs: number): LastDrill[] => {
  const found = [...intents].flatMap((intent) => drillOf(intent) ?? []);
  return DRILL_KINDS.flatMap((kind) => found.filter((one) => one.kind === kind)).map((one) =>
    one.state === 'running' && wallMs > one.deadlineWallMs
      ? { ...one, state: 'interrupted', why: `the agent on ${one.by} did not end it` }
      : one,
  );
};

/** The decisions that keep drills, by their keys: what else there is is not gone through. */
export const drillsIn = (intents: Intents): Intent[] =>
  DRILL_KINDS.flatMap((kind) => intents.get(drillKey(kind)) ?? []);

/** The drill that goes on now; null for none. */
export const runningDrill = (intents: Intents, wallMs: number): LastDrill | null =>
  lastDrills(drillsIn(intents), wallMs).find(({ state }) => state === 'running') ?? null;

/** Where each address was before the drill. */
export const homesOf = ({ homes }: Pick<DrillRecord, 'homes'>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(homes).flatMap(([node, addresses]) =>
      addresses.map((address) => [address, node] as const),
    ),
  );

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isMaybe = (value: unknown): boolean => value === null || isNumber(value);
const isWord = (words: readonly string[], value: unknown): boolean =>
  isText(value) && words.includes(value);

/** It came over the network, or from a disk: nothing of it is believed unread. */
function isRecord(value: unknown): value is DrillRecord {
  if (typeof value !== 'object' || value === null) return false;
  const one = value as Record<keyof DrillRecord, unknown>;
  return (
    isWord(DRILL_STATES, one.state) &&
    (one.means === null || isWord(DRILL_MEANS, one.means)) &&
    [one.node, one.by, one.why].every(isText) &&
    [one.startedWallMs, one.deadlineWallMs, one.maxOutageMs].every(isNumber) &&
    [one.endedWallMs, one.darkMs, one.sent, one.lost].every(isMaybe) &&
    typeof one.homes === 'object' &&
    one.homes !== null &&
    Object.values(one.homes).every((all) => Array.isArray(all) && all.every(isText))
  );
}

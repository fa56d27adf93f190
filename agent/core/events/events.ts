import type { Severity } from '../alerts/alert.ts';

/** How much an event matters: `info` is no trouble, the others are an alert's words. */
export type EventSeverity = 'info' | Severity;

/** Every kind of event, and how much it matters unless the event says more; docs/json.md lists them. */
const EVENTS = {
  moved: 'info',
  failover: 'info',
  failback: 'info',
  maintenance: 'info',
  pause: 'info',
  resume: 'info',
  drain: 'info',
  maint: 'info',
  ready: 'info',
  weight: 'info',
  'wish-ended': 'info',
  certificate: 'info',
  revocation: 'info',
  'haproxy-up': 'info',
  'haproxy-stopping': 'warn',
  'haproxy-hung': 'warn',
  'haproxy-down': 'warn',
  'haproxy-unknown': 'warn',
  'haproxy-reloaded': 'info',
  'haproxy-config-changed': 'info',
  'haproxy-config-pushed': 'info',
  'agent-started': 'info',
  'agent-stopped': 'info',
  'drill-begun': 'info',
  'drill-passed': 'info',
  'drill-failed': 'warn',
  'peer-heard': 'info',
  'peer-lost': 'warn',
  'alert-raised': 'warn',
  'alert-changed': 'warn',
  'alert-cleared': 'info',
  'config-reloaded': 'info',
  'config-refused': 'warn',
  'events-many': 'info',
  'events-lost': 'warn',
} as const satisfies Readonly<Record<string, EventSeverity>>;

export type EventKind = keyof typeof EVENTS;

export const EVENT_KINDS = Object.keys(EVENTS) as readonly EventKind[];

/** Whether `wanted`, a kind or the word before its dash, means this kind. */
export const isOfKind = (kind: string, wanted: string): boolean =>
  kind === wanted || kind.startsWith(`${wanted}-`);

/** Something that was done or has changed, as whoever notices it says it. */
export interface Happening {
  readonly kind: EventKind;
  readonly severity: EventSeverity;
  /** An address, a node, BACKEND/SERVER, a certificate, a part of the host: the first it is about. */
  readonly subject: string;
  /** One sentence. */
  readonly text: string;
  /** When, by this node's wall clock, Unix ms; absent: now. */
  readonly atWallMs?: number;
  /** The id of the alert. */
  readonly alert?: string;
  /** What to do; absent where there is nothing, or the text says it. */
  readonly remedy?: string;
  /** What it was, and what it is: nodes, states, severities. */
  readonly from?: string;
  readonly to?: string;
  /** Of a move: who made it. */
  readonly cause?: string;
  /** Who asked for it, why, and by which request. */
  readonly actor?: string;
  readonly reason?: string;
  readonly requestId?: string;
  /** When it ends by itself, Unix ms. */
  readonly untilWallMs?: number;
  /** All that it is about where that is more than the subject; the first of `objectsCount`. */
  readonly objects?: readonly string[];
  readonly objectsCount?: number;
  /** How long an alert that is cleared has stood, ms. */
  readonly lastedMs?: number;
  /** One event for so many. */
  readonly count?: number;
}

/** One event on record: written by the node it happened on, once, and never changed. */
export interface PairEvent extends Omit<Happening, 'kind' | 'atWallMs' | 'untilWallMs'> {
  /** NODE-EPOCH-NUMBER: unique in the pair, and of one node in the order in which they were written. */
  readonly id: string;
  /** RFC 3339 in UTC with milliseconds, by the clock of the node. */
  readonly time: string;
  readonly node: string;
  /** 'unknown': a word of a newer agent. */
  readonly kind: EventKind | 'unknown';
  /** RFC 3339: when it ends by itself. */
  readonly until?: string;
}

/** Which events are asked for. */
export interface EventsAsk {
  /** Not older than this, ms; null: however old. */
  readonly sinceMs: number | null;
  /** Not younger than this, ms; null: until now. */
  readonly untilMs: number | null;
  /** Kinds, or the words before their dashes; empty: all. */
  readonly kinds: readonly string[];
  /** Of these nodes; empty: of all. */
  readonly nodes: readonly string[];
  /** The newest so many. */
  readonly limit: number;
}

/** One of this kind, as grave as its kind is. */
export const happening = (
  kind: EventKind,
  subject: string,
  text: string,
  more: Partial<Happening> = {},
): Happening => ({ kind, severity: EVENTS[kind], subject, text, ...more });

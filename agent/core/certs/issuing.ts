import type { NodeView } from '../model.ts';
import { freshNodes } from '../peers.ts';

/** When a certificate is ordered from an ACME CA, and by which node. */

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * An address has to be here that long before this node orders, ms. Longer than
 * one question to the CA may take, so that whoever ordered before has stopped.
 */
const SETTLE_MS = 30_000;
/** Nobody in touch holds the address: far longer than any move or restart, short for a renewal, ms. */
const STAND_IN_MS = 600_000;

/** First pause and longest one, ms, by how the last attempt ended. */
const PAUSES = {
  /** Let's Encrypt: five failed validations of a name in an hour. Four attempts fall into the first. */
  refused: { firstMs: 10 * MINUTE_MS, mostMs: 12 * HOUR_MS },
  /** Nothing was counted anywhere. */
  unreachable: { firstMs: MINUTE_MS, mostMs: HOUR_MS },
} as const;

export type Setback = keyof typeof PAUSES;

/** The certificate that is in place of a wanted one. */
export interface InPlace {
  readonly names: readonly string[];
  /** Unix ms. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly selfSigned: boolean;
  /** Of the leaf, hexadecimal; scatters the renewals. */
  readonly fingerprint: string;
}

export interface Due {
  /** Unix ms. */
  readonly atWallMs: number;
  readonly why: 'placeholder' | 'names' | 'age';
}

/**
 * When `wanted` names have to be ordered: at once in place of a self-signed
 * certificate or of one that lacks a name, else with a third of its life left,
 * up to a thirtieth of its life earlier. How much earlier follows from its
 * fingerprint: the same on every node and after every restart.
 */
export function dueOf(wanted: readonly string[], inPlace: InPlace): Due {
  if (inPlace.selfSigned) return { atWallMs: 0, why: 'placeholder' };
  if (wanted.some((name) => !inPlace.names.includes(name))) return { atWallMs: 0, why: 'names' };
  const lifeMs = inPlace.notAfterMs - inPlace.notBeforeMs;
  const share = Number.parseInt(inPlace.fingerprint.slice(0, 8), 16) / 2 ** 32;
  const earlierMs = (lifeMs / 30) * (Number.isNaN(share) ? 0 : share);
  return { atWallMs: Math.round(inPlace.notAfterMs - lifeMs / 3 - earlierMs), why: 'age' };
}

/** Names that are served now and would not be any more; none counts of a self-signed certificate. */
export const lostNames = (wanted: readonly string[], inPlace: InPlace): string[] =>
  inPlace.selfSigned ? [] : inPlace.names.filter((name) => !wanted.includes(name));

export interface Failures {
  readonly count: number;
  /** Monotonic ms before which nothing is tried again. */
  readonly untilMs: number;
}

/**
 * After one more failure: the pause doubles, up to its longest, with up to a quarter more at
 * random (0 to 1), and is never shorter than what the CA asked for.
 */
export function afterFailure(
  before: Failures | null,
  how: { readonly setback: Setback; readonly retryAfterMs: number; readonly random: number },
  nowMs: number,
): Failures {
  const count = (before?.count ?? 0) + 1;
  const { firstMs, mostMs } = PAUSES[how.setback];
  const pauseMs = Math.min(mostMs, firstMs * 2 ** Math.min(count - 1, 30));
  const waitMs = Math.max(pauseMs * (1 + how.random / 4), how.retryAfterMs);
  return { count, untilMs: nowMs + Math.round(waitMs) };
}

/** What the CA counted against these names, for whoever orders them next: a later start, or another node. */
export interface Refusal {
  readonly count: number;
  /** Unix ms before which a node that knows no more than this asks nothing. */
  readonly untilWallMs: number;
  readonly cause: string;
  readonly remedy: string;
}

/** However long the pause has become: with that, five in an hour are never reached, ms. */
const CARRIED_MS = HOUR_MS;
/** What a CA may ask for at most, and more than the longest pause, ms. */
const REMEMBERED_MS = 24 * HOUR_MS;

/** `failures` as a later start or another node has to know them; null: nothing was counted at the CA. */
export function refusalOf(
  failures: Failures,
  how: { readonly setback: Setback; readonly retryAfterMs: number },
  said: { readonly cause: string; readonly remedy: string },
  now: { readonly nowMs: number; readonly wallMs: number },
): Refusal | null {
  // A CA that is down and asks for no pause may be asked again by a new start at once.
  if (how.setback !== 'refused' && how.retryAfterMs === 0) return null;
  const pauseMs = Math.min(failures.untilMs - now.nowMs, Math.max(CARRIED_MS, how.retryAfterMs));
  return { count: failures.count, untilWallMs: now.wallMs + pauseMs, ...said };
}

/** The reverse. A wall clock that was set back since prolongs no pause beyond a day. */
export function failuresOf(
  { count, untilWallMs }: Refusal,
  now: { readonly nowMs: number; readonly wallMs: number },
): Failures {
  const leftMs = Math.min(Math.max(0, untilWallMs - now.wallMs), REMEMBERED_MS);
  return { count, untilMs: now.nowMs + leftMs };
}

/** The value of the intent that carries a refusal, and how long it is in force, ms. */
export const refusalText = (
  refusal: Refusal,
  wallMs: number,
): { value: string; forMs: number } => ({
  value: JSON.stringify(refusal),
  forMs: Math.max(0, refusal.untilWallMs - wallMs) + REMEMBERED_MS,
});

/** The reverse of refusalText; null for what no agent of this release wrote. */
export function parseRefusal(value: string): Refusal | null {
  try {
    const { count, untilWallMs, cause, remedy } = JSON.parse(value) as Record<string, unknown>;
    if (typeof count !== 'number' || typeof untilWallMs !== 'number') return null;
    if (typeof cause !== 'string' || typeof remedy !== 'string') return null;
    return { count, untilWallMs, cause, remedy };
  } catch {
    return null;
  }
}

/** Who orders, once that has been so for `afterMs`. */
export interface Orderer {
  readonly node: string;
  readonly afterMs: number;
}

/**
 * The one MASTER of the first address that any node in touch reports. Where none is, as when the
 * agent of the MASTER does not answer, the first node by name stands in after ten minutes. Null
 * with several, or where the one whose CARP state is unknown here may be it: two orders at once
 * would count twice at the CA.
 */
export function ordererOf(nodes: readonly NodeView[]): Orderer | null {
  const fresh = freshNodes(nodes);
  const all = fresh.flatMap(({ report }) => report?.addresses ?? []);
  const [first] = all.map(({ address }) => address).sort();
  const masters = fresh.filter(({ report }) =>
    report?.addresses.some(({ address, state }) => address === first && state === 'MASTER'),
  );
  const unsure = all.some(({ address, state }) => address === first && state === 'unknown');
  if (masters.length === 0 && unsure) return null;
  const [one] = masters.length === 0 ? fresh : masters;
  if (one === undefined || first === undefined || masters.length > 1) return null;
  return { node: one.node, afterMs: masters.length === 1 ? SETTLE_MS : STAND_IN_MS };
}

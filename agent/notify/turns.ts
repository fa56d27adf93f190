import { tellerOf, type Teller } from '../core/notify/notify.ts';
import type { Pending } from './memory.ts';

/** What comes within so long is looked at together, ms. */
export const GATHER_MS = 3000;
/** A node that takes over from one that can tell leaves to it so long what that may be telling, ms. */
const LEAVE_MS = 5000;
/** Nodes come to know of an event within so long of each other, ms. */
const APART_MS = 1500;

/** Whether this node tells a target, and what of it another one may be telling still. */
export interface Turn {
  readonly leads: boolean;
  /** Ids of events, and until when they are left to it, monotonic; null: none. */
  readonly left: { readonly ids: ReadonlySet<string>; readonly untilMs: number } | null;
}

export const NO_TURN: Turn = { leads: false, left: null };

/**
 * The turn of this node, the first of `tellers`, with `target` after `before`. Of what waits for it
 * that which the one before may have begun to tell is left to that one, unless it fails.
 */
export function turnOf(
  target: string,
  before: Turn,
  tellers: readonly Teller[],
  waiting: readonly Pending[],
  now: { readonly nowMs: number; readonly wallMs: number },
): Turn {
  const [own, ...others] = tellers;
  const leads = own !== undefined && tellerOf(target, tellers) === own.node;
  if (!leads) return NO_TURN;
  if (before.leads)
    return before.left === null || now.nowMs < before.left.untilMs ? before : { leads, left: null };
  const other = tellerOf(target, others);
  const tells = others.some(
    ({ node, targets }) =>
      node === other && targets.some(({ name, failing }) => name === target && !failing),
  );
  if (!tells) return { leads, left: null };
  // What is younger it has not begun.
  const begunMs = now.wallMs - GATHER_MS + APART_MS;
  const begun = waiting.filter(({ sinceWallMs }) => sinceWallMs <= begunMs);
  const ids = new Set(begun.map(({ event }) => event.id));
  return { leads, left: { ids, untilMs: now.nowMs + LEAVE_MS } };
}

/** What this node is to tell of what waits. */
export const ownOf = ({ left }: Turn, waiting: readonly Pending[]): readonly Pending[] =>
  left === null ? waiting : waiting.filter(({ event }) => !left.ids.has(event.id));

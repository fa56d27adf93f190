import type { Memory } from './memory.ts';
import { LOWERED_ADVSKEW, type AddressReport, type NodeReport } from '../model.ts';
import { goalOf, isPaused, type Candidate } from './candidates.ts';
import type { Ownership } from './owner.ts';
import { isSameStart } from '../peers.ts';
import type { View } from './view.ts';
import { ISOLATED_MS } from '../timing.ts';
import { forsakenAtMs, isUnheard } from './unserved.ts';

/** One address in one round: everything its decision may look at. */
export interface Situation {
  readonly view: View;
  readonly me: NodeReport;
  readonly mine: AddressReport;
  readonly ownership: Ownership;
  readonly masters: readonly Candidate[];
  readonly memory: Memory;
  /** While adverts are lost: the one node that keeps every address; null: none are lost. */
  readonly keeper: string | null;
  readonly nowMs: number;
}

/** Whether this MASTER was alone long enough that it should yield when the network returns. */
export function isIsolated({ view, mine, memory, nowMs }: Situation): boolean {
  const { isolatedSinceMs, isolatedUntilMs } = memory;
  if (mine.state !== 'MASTER' || isolatedUntilMs === null) return false;
  if (isolatedSinceMs !== null && nowMs - isolatedSinceMs < ISOLATED_MS) return false;
  // Where another has the better base, that one lowers itself and this one wins: never both.
  const base = mine.baseAdvskew ?? mine.advskew;
  return !view.nodes.some(
    ({ node, report }) =>
      node !== view.self &&
      report?.addresses.some(
        ({ address, baseAdvskew }) => address === mine.address && (baseAdvskew ?? 255) < base,
      ),
  );
}

/**
 * HAProxy is dead here and nobody has answered for ISOLATED_MS: whoever lives must
 * win. What is lowered for it stays so.
 */
export function isForsaken({ view, me, mine, memory, nowMs }: Situation): boolean {
  const sinceMs = memory.unserved.get(mine.address);
  if (sinceMs === undefined || !isUnheard(view) || isPaused(view)) return false;
  return mine.advskew === LOWERED_ADVSKEW || nowMs >= forsakenAtMs(view, me, sinceMs);
}

/**
 * Base if I am owner or my base is above what the owner will advertise, 254 otherwise; what was
 * set by hand stays. Computed each round from causes, never remembered as one.
 */
export function desiredAdvskew(at: Situation): number {
  const { mine, ownership, view, keeper } = at;
  if (mine.byHand) return mine.advskew;
  if (isIsolated(at) || isForsaken(at)) return LOWERED_ADVSKEW;
  if (keeper !== null && keeper !== view.self) return LOWERED_ADVSKEW;
  const base = mine.baseAdvskew ?? mine.advskew;
  const chosen = ownership.owner;
  if (chosen === null || chosen.node === view.self) return base;
  return base > goalOf(chosen) ? base : LOWERED_ADVSKEW;
}

/** HAProxy is dead here and another is to have the address for that. */
export const isRescued = ({ me, ownership, view }: Situation): boolean =>
  me.health === 'down' &&
  ownership.place?.name === 'haproxy' &&
  ownership.owner?.node !== view.self;

/** The peer had this node's present report when it wrote its own. */
export const hasSeen = (peer: NodeReport, me: NodeReport): boolean =>
  peer.seen.some(
    (seen) => seen.node === me.node && isSameStart(seen, me) && seen.sequence >= me.sequence,
  );

/** The three names every action on an address carries. */
export const where = ({ address, interface: name, vhid }: AddressReport) => ({
  address,
  interface: name,
  vhid,
});

/** A copy of the map with one entry set, or without it for null. */
export function put<T>(
  map: ReadonlyMap<string, T>,
  key: string,
  value: T | null,
): ReadonlyMap<string, T> {
  const copy = new Map(map);
  if (value === null) copy.delete(key);
  else copy.set(key, value);
  return copy;
}

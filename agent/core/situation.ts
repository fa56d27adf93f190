import { LOWERED_ADVSKEW, type AddressReport, type NodeReport } from './model.ts';
import type { Candidate, Ownership, View } from './owner.ts';

/** One address in one round: everything its decision may look at. */
export interface Situation {
  readonly view: View;
  readonly me: NodeReport;
  readonly mine: AddressReport;
  readonly ownership: Ownership;
  readonly masters: readonly Candidate[];
  readonly nowMs: number;
}

/**
 * Base if I am owner or my base is above the owner's, 254 otherwise. Computed
 * each round from causes, never remembered as one.
 */
export function desiredAdvskew(at: Situation): number {
  const { mine, ownership, view } = at;
  const base = mine.baseAdvskew ?? mine.advskew;
  const chosen = ownership.owner;
  if (chosen === null || chosen.node === view.self) return base;
  return base > (chosen.address.baseAdvskew ?? chosen.address.advskew) ? base : LOWERED_ADVSKEW;
}

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

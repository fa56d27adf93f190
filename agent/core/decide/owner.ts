import { candidatesFor, type Candidate } from './candidates.ts';
import { PLACES, type Field, type Place } from './places.ts';
import type { View } from './view.ts';

export interface Ownership {
  readonly owner: Candidate | null;
  /** The first place in which the owner and the next best differ; null: nobody to compare with. */
  readonly place: Place | null;
  /** The one it was closest with. */
  readonly over: Candidate | null;
  readonly candidates: readonly Candidate[];
}

/** Who should own an address: of the nodes with a fresh report the first by PLACES. */
export function owner(address: string, view: View, nowMs: number): Ownership {
  const candidates = candidatesFor(address, view);
  const field: Field = { candidates, view, nowMs };
  const [first = null, second = null] = candidates
    .map((candidate) => ({ candidate, rank: PLACES.map((one) => one.number(candidate, field)) }))
    .sort((a, b) => compareRanks(a.rank, b.rank));
  const differs = PLACES.find((_, at) => first?.rank[at] !== second?.rank[at]) ?? null;
  return {
    owner: first?.candidate ?? null,
    place: second === null ? null : differs,
    over: second?.candidate ?? null,
    candidates,
  };
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}

import type { History, OwnerChange } from '../core/history.ts';
import { addressesOf } from './addresses.ts';
import { asFailure, type Pair } from './pair.ts';

/** Clocks of two hosts that differ by less are taken for equal, ms: the difference is measured anew each time. */
const SAME_CLOCK_MS = 1000;

/**
 * `history`: each node tells how addresses came to it, with the time of its own clock, so that it
 * never changes from one reading to the next. A clock that is off changes the order of nothing.
 * A node that does not answer is missing from it, and said to be. Throws ActFailure for an
 * address nobody has.
 */
export async function history(
  pair: Pair,
  named: readonly string[],
  limit: number | null,
): Promise<History> {
  const ids = named.length === 0 ? null : addressesOf(pair, named).map(({ id }) => id);
  const missing: { node: string; cause: string }[] = [];
  const parts = await Promise.all(
    pair.members.map(async (member): Promise<readonly OwnerChange[]> => {
      try {
        return await member.history();
      } catch (error) {
        const { message, cause } = asFailure(error).detail;
        missing.push({ node: member.node, cause: cause === '' ? message : cause });
        return [];
      }
    }),
  );
  const here = (one: OwnerChange): number => one.atWallMs - clockOff(pair, one.to);
  const changes = parts
    .flat()
    .filter(({ address }) => ids === null || ids.includes(address))
    .sort((a, b) => here(a) - here(b));
  return {
    node: pair.node,
    changes: limit === null ? changes : changes.slice(-limit),
    missing: missing.sort((a, b) => (a.node < b.node ? -1 : 1)),
  };
}

/** How far a node's clock is ahead of this one's, ms. */
export function clockOff(pair: Pair, node: string): number {
  const off = pair.view().find((one) => one.node === node)?.clockOffMs ?? 0;
  return Math.abs(off) < SAME_CLOCK_MS ? 0 : off;
}

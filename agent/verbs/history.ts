import type { History, OwnerChange } from '../core/history.ts';
import { addressesOf } from './addresses.ts';
import { asFailure, type Pair } from './pair.ts';

/**
 * `history`: each node tells how addresses came to it. A node that does not
 * answer is missing from it, and said to be. Throws ActFailure for an address nobody has.
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
  const changes = parts
    .flat()
    .filter(({ address }) => ids === null || ids.includes(address))
    .sort((a, b) => a.atWallMs - b.atWallMs);
  return {
    node: pair.node,
    changes: limit === null ? changes : changes.slice(-limit),
    missing: missing.sort((a, b) => (a.node < b.node ? -1 : 1)),
  };
}

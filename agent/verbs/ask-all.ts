import type { Member } from '../core/member.ts';
import { present, type Pair, whyOf } from './pair.ts';

/** What one node says, or why it says nothing; then `problem` is not empty and the rest is `nothing`. */
type Said<T> = T & { readonly node: string; readonly problem: string };

/**
 * Asks these nodes the same, all at once. One that is not in touch is not asked, and one that fails
 * says why; `failed` hears of it too. Never rejects.
 */
export function askAll<T extends object>(
  pair: Pair,
  members: readonly Member[],
  nothing: T,
  ask: (member: Member) => Promise<T>,
  failed: (error: unknown) => void = () => undefined,
): Promise<Said<T>[]> {
  const reachable = present(pair);
  return Promise.all(
    members.map(async (member): Promise<Said<T>> => {
      const { node } = member;
      if (!reachable.includes(member))
        return { node, problem: `the agent on ${node} does not answer`, ...nothing };
      try {
        return { node, problem: '', ...(await ask(member)) };
      } catch (error) {
        failed(error);
        return { node, problem: whyOf(error), ...nothing };
      }
    }),
  );
}

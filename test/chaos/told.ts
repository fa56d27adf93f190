import type { Move } from './look.ts';
import { spans } from './judge.ts';
import type { Seen } from './words.ts';

/** Who has an address that long has it: an agent reads within 3 s also where devd is silent. */
const STAY_MS = 4000;

/** Nodes that got the address and kept it, in order, by what their kernels showed. */
export function tenures({ held, toMs }: Seen): string[] {
  const stays = spans(held, toMs).filter(
    (one) => one.masters.length === 1 && one.toMs - one.fromMs >= STAY_MS,
  );
  return stays
    .map(({ masters }) => masters[0] ?? '')
    .filter((node, at, all) => node !== all[at - 1]);
}

/**
 * A sentence for each move that happened and is not on record, and where the record ends with
 * somebody else than who has the address. `before`: what was on record when the episode began.
 */
export function untold(
  what: string,
  seen: Seen,
  before: readonly Move[],
  after: readonly Move[],
): string[] {
  const known = new Set(before.map(keyOf));
  const fresh = after.filter((one) => !known.has(keyOf(one)));
  const [first, ...moves] = tenures(seen);
  if (first === undefined) return [];
  const problems = moves.flatMap((node) =>
    fresh.some(({ to }) => to === node)
      ? []
      : [`${node} got the address and kept it, and ${what} does not tell it`],
  );
  return [...new Set(problems)];
}

const keyOf = ({ at, to }: Move): string => `${at} ${to}`;

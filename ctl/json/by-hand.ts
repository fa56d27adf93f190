import type { HandMove } from '../by-hand.ts';

/** The `result` of `failover --by-hand`; `agoMs`: the age of what it stands on. */
export const byHandResult = (moves: readonly HandMove[], agoMs: number) => ({
  seen_ms_ago: agoMs,
  moves: moves.map(({ address, from, to, steps }) => ({
    address,
    from,
    to,
    steps: steps.map(({ node, command, why }) => ({ node, command, why })),
  })),
});

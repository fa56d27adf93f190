import type { History } from '../../agent/core/history.ts';

/** The `result` of `history`. */
export const historyResult = ({ changes, missing }: History): unknown => ({
  changes: changes.map(({ atWallMs, ...rest }) => ({
    at: new Date(atWallMs).toISOString(),
    ...rest,
  })),
  missing,
});

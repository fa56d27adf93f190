import type { History } from '../../agent/core/history.ts';
import { time } from './wish.ts';

/** The `result` of `history`. */
export interface HistoryJson {
  readonly changes: readonly {
    readonly at: string;
    readonly address: string;
    readonly from: string | null;
    readonly to: string;
    readonly cause: string;
    readonly reason: string;
  }[];
  readonly missing: readonly { readonly node: string; readonly cause: string }[];
}

/** The newest last, as the agent gives them. */
export const historyResult = ({ changes, missing }: History): HistoryJson => ({
  changes: changes.map(({ atWallMs, address, from, to, cause, reason }) => ({
    at: time(atWallMs),
    address,
    from,
    to,
    cause,
    reason,
  })),
  missing: missing.map(({ node, cause }) => ({ node, cause })),
});

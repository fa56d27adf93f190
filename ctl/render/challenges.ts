import { tokenOf } from '../../agent/core/challenge.ts';
import type { Intent } from '../../agent/core/model.ts';
import { clockTime } from './duration.ts';
import { COLUMNS, table } from './table.ts';

/** Tokens that are answered, oldest first. */
export function challengeTable(tokens: readonly Intent[], wallMs: number): string {
  const rows = [...tokens]
    .sort((a, b) => a.stamp.wallMs - b.stamp.wallMs)
    .map((intent) => [
      tokenOf(intent) ?? '',
      intent.reason,
      intent.actor,
      intent.untilWallMs === null ? '' : clockTime(intent.untilWallMs, wallMs),
    ]);
  return table(['TOKEN', 'FOR', 'BY', 'UNTIL'], rows, { columns: COLUMNS });
}

/** The `result` of acme list; never the answers themselves. */
export const challengeResult = (tokens: readonly Intent[]): unknown => ({
  tokens: tokens.map((intent) => ({
    token: tokenOf(intent),
    actor: intent.actor,
    reason: intent.reason,
    since: new Date(intent.stamp.wallMs).toISOString(),
    until: intent.untilWallMs === null ? null : new Date(intent.untilWallMs).toISOString(),
  })),
});

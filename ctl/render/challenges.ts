import { tokenOf } from '../../agent/core/certs/challenge.ts';
import type { Intent } from '../../agent/core/model.ts';
import { clockTime } from './duration.ts';
import { table } from './table.ts';

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
  return table(['TOKEN', 'FOR', 'BY', 'UNTIL'], rows, { columns: 'fits' });
}

import { tokenOf } from '../../agent/core/challenge.ts';
import type { Intent } from '../../agent/core/model.ts';

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

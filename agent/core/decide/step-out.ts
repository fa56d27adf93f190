import { isPaused } from './candidates.ts';
import { isObserver } from '../health.ts';
import type { Part } from './decision.ts';
import { LOWERED_ADVSKEW } from '../model.ts';
import { put, where, type Situation } from './situation.ts';
import { STEP_OUT_INTERVAL_MS, UNTAKEN_MS } from '../timing.ts';
import { forsakenAtMs, isUnheard } from './unserved.ts';

/** When this host may leave the address to whichever kernel takes it; null: it does not. */
export function stepOutDueMs({ view, me, mine, memory }: Situation): number | null {
  const sinceMs = memory.unserved.get(mine.address);
  if (sinceMs === undefined || mine.state !== 'MASTER') return null;
  if (isObserver(me) || isPaused(view) || memory.lost !== null) return null;
  const lastMs = memory.stepOuts.get(mine.address) ?? -Infinity;
  const dueMs = isUnheard(view) ? forsakenAtMs(view, me, sinceMs) : sinceMs + UNTAKEN_MS;
  return Math.max(dueMs, lastMs + STEP_OUT_INTERVAL_MS);
}

/**
 * A MASTER whose HAProxy is dead and that nobody answers, or whose handshake
 * nobody ended, becomes BACKUP by itself: whoever lives is MASTER by the
 * kernel's timer within 4 s, demoted or not. Nothing is lost by it, for it
 * served nobody. Where nobody takes it, it is MASTER again after the same time.
 */
export function stepOutFor(at: Situation): Part | null {
  const { view, mine, memory, ownership, nowMs } = at;
  const dueMs = stepOutDueMs(at);
  if (dueMs === null || nowMs < dueMs) return null;
  const why = isUnheard(view)
    ? 'no other node answers'
    : `${ownership.owner?.node ?? 'nobody'} did not take it`;
  const reason = `${mine.address} is left to whoever lives: HAProxy is down here and ${why}`;
  return {
    reason,
    actions: [{ kind: 'step-out', advskew: LOWERED_ADVSKEW, reason, ...where(mine) }],
    memory: { ...memory, stepOuts: put(memory.stepOuts, mine.address, nowMs) },
    wakeAtMs: nowMs + STEP_OUT_INTERVAL_MS,
  };
}

import { NO_TURN, type Turn } from './turns.ts';

/** Between two tries of a target that fails, ms: doubled each time. */
const [RETRY_MS, LONGEST_RETRY_MS] = [5000, 300_000];

/** How it goes with one target of this node. */
export interface Trial {
  readonly sentAtMs: number[];
  sending: boolean;
  retryMs: number;
  retryAtMs: number;
  /** Null: the last try succeeded. */
  failedSinceMs: number | null;
  turn: Turn;
}

/** It has not failed. */
export const FRESH = { failedSinceMs: null, retryMs: RETRY_MS, retryAtMs: 0 } as const;

/** Of a target that is new. */
export const trialOf = (): Trial => ({ sentAtMs: [], sending: false, turn: NO_TURN, ...FRESH });

/** How long the next one waits that fails again, ms. */
export const nextRetryMs = (ms: number): number => Math.min(LONGEST_RETRY_MS, ms * 2);

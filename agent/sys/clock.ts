import { performance } from 'node:perf_hooks';
import { sharedTimer } from './shared-timer.ts';

/** Time and waiting, as an argument. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary point; never steps back. */
  nowMs(): number;
  /** Unix milliseconds; may step. Only for stamps, `until` and what people read. */
  wallMs(): number;
  /** Calls back once after `ms`; the returned function cancels. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

const nowMs = (): number => performance.now();

/** The host's own clocks; who waits for the same moment is woken at once. */
export const systemClock: Clock = { nowMs, wallMs: () => Date.now(), after: sharedTimer(nowMs) };

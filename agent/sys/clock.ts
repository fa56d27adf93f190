import { performance } from 'node:perf_hooks';

/** Time and waiting, as an argument. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary point; never steps back. */
  nowMs(): number;
  /** Unix milliseconds; may step. Only for stamps, `until` and what people read. */
  wallMs(): number;
  /** Calls back once after `ms`; the returned function cancels. Does not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** The host's own clocks. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

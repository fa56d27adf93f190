interface Wait {
  readonly atMs: number;
  readonly callback: () => void;
}

/** What there is of Node, as an argument. */
export interface Timers {
  /** Calls back after so many whole ms, maybe a fraction of one too early; the returned function cancels. */
  readonly set: (ms: number, callback: () => void) => () => void;
  /** Calls back once what is under way has settled. */
  readonly soon: (callback: () => void) => void;
}

/** Keep the process no longer alive than a turn of its loop. */
const nodeTimers: Timers = {
  set(ms, callback) {
    const timer = setTimeout(callback, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => void setImmediate(callback),
};

/** What setTimeout() takes at most; a longer wait is armed again. */
const LONGEST_MS = 2 ** 31 - 1;
/** Timers of libuv count from the beginning of a millisecond: by so much they fire too early. */
const EARLY_MS = 1;

/**
 * `Clock.after` over `nowMs` with one timer of Node for all who wait. One each would wake the
 * process for each of their moments, again where it fires a fraction of a millisecond too early, and
 * again for what was cancelled. Nobody is woken early, or by this more than two milliseconds late;
 * those that are due together are called in order, each after what the one before began has settled.
 */
export function sharedTimer(
  nowMs: () => number,
  timers: Timers = nodeTimers,
): (ms: number, callback: () => void) => () => void {
  /** The soonest last; of those at one moment the first one last. */
  const waiting: Wait[] = [];
  let armedAtMs = Infinity;
  let disarm = (): void => {};

  function arm(): void {
    const next = waiting.at(-1);
    // One that fires in vain does so no more often than it would have to be taken back.
    if (next === undefined || armedAtMs <= next.atMs) return;
    disarm();
    armedAtMs = next.atMs;
    const ms = Math.ceil(next.atMs - nowMs()) + EARLY_MS;
    disarm = timers.set(Math.min(LONGEST_MS, ms), fire);
  }

  function fire(): void {
    armedAtMs = Infinity;
    const next = waiting.at(-1);
    if (next === undefined || next.atMs > nowMs()) return arm();
    waiting.pop();
    if ((waiting.at(-1)?.atMs ?? Infinity) <= nowMs()) {
      armedAtMs = -Infinity;
      timers.soon(fire);
    }
    try {
      next.callback();
    } finally {
      arm();
    }
  }

  return (ms, callback) => {
    const wait: Wait = { atMs: nowMs() + Math.max(0, ms), callback };
    let at = waiting.length;
    while (at > 0 && (waiting[at - 1]?.atMs ?? Infinity) <= wait.atMs) at--;
    waiting.splice(at, 0, wait);
    arm();
    return () => {
      const place = waiting.lastIndexOf(wait);
      if (place >= 0) waiting.splice(place, 1);
    };
  };
}

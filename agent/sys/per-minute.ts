import type { Clock } from './clock.ts';

const MINUTE_MS = 60_000;
/** So many callers are told apart at once; more are one. */
const MOST_KEYS = 64;

/** Lets what comes too often through as a number. */
export interface Counting<T> {
  /** True: `item` is within the first `most` of its key in this minute. False: it is counted. */
  passes(key: string, item: T, count?: number): boolean;
  /** Says what has been counted so far. */
  flush(): void;
}

/**
 * The first `most` of each key in a minute pass; the others are told once, at its end: their
 * number, and the last of them (null: of several keys that were too many to be told apart).
 */
export function perMinute<T>(
  clock: Clock,
  most: number,
  more: (last: T | null, count: number) => void,
): Counting<T> {
  interface Open {
    passed: number;
    counted: number;
    last: T | null;
    readonly cancel: () => void;
  }
  const open = new Map<string, Open>();
  const OTHERS = '';

  const end = (key: string): void => {
    const one = open.get(key);
    open.delete(key);
    one?.cancel();
    if (one !== undefined && one.counted > 0) more(key === OTHERS ? null : one.last, one.counted);
  };
  return {
    passes(key, item, count = 1) {
      const known = open.has(`+${key}`) || open.size < MOST_KEYS;
      const name = known ? `+${key}` : OTHERS;
      const one = open.get(name) ?? {
        passed: 0,
        counted: 0,
        last: null,
        cancel: clock.after(MINUTE_MS, () => end(name)),
      };
      open.set(name, one);
      if (one.passed < most) {
        one.passed += 1;
        return true;
      }
      one.counted += count;
      one.last = item;
      return false;
    },
    flush: () => {
      for (const key of open.keys()) end(key);
    },
  };
}

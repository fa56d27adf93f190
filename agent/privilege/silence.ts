import type { Clock } from '../sys/clock.ts';

/** In how many parts its time is waited for: of a time in which this process stood still one counts. */
const PARTS = 10;

export interface Silence {
  /** This request was written. */
  asked(sequence: number): void;
  /** This one was answered, in time or not. */
  answered(sequence: number): void;
  stop(): void;
}

/**
 * Calls `hung` once when a request was written and for `limitMs` none at all was answered: what
 * should answer them waits for something that does not end.
 */
export function watchSilence(clock: Clock, limitMs: number, hung: () => void): Silence {
  const owed = new Set<number>();
  let parts = 0;
  let cancel: (() => void) | null = null;

  function stop(): void {
    cancel?.();
    cancel = null;
  }
  function part(): void {
    cancel = null;
    if (++parts >= PARTS) hung();
    else wait();
  }
  const wait = (): void => void (cancel = clock.after(limitMs / PARTS, part));

  return {
    asked(sequence) {
      owed.add(sequence);
      if (cancel !== null || parts >= PARTS) return;
      parts = 0;
      wait();
    },
    answered(sequence) {
      if (!owed.delete(sequence) || parts >= PARTS) return;
      parts = 0;
      if (owed.size === 0) stop();
    },
    stop,
  };
}

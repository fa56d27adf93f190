import type { Clock } from '../sys/clock.ts';

const RETRY_MS = 5000;

export interface Looks {
  /** Looks now; resolves once that look, or the one that is under way, has ended. */
  again(): Promise<void>;
  stop(): void;
}

/** One look at a time, and 5 s after each the next, from the first `again` until `stop`. `look` never rejects. */
export function looks(clock: Clock, look: () => Promise<void>): Looks {
  let stopped = false;
  let looking: Promise<void> | null = null;
  let cancel = (): void => {};

  const again = (): Promise<void> => {
    cancel();
    looking ??= look().finally(() => {
      looking = null;
      if (!stopped) cancel = clock.after(RETRY_MS, () => void again());
    });
    return looking;
  };

  return {
    again,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

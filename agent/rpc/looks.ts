import type { Clock } from '../sys/clock.ts';

/** Between two looks at what is open, ms. */
const LOOK_MS = 500;

/** Calls `look` twice a second, from `begin` on as long as `isAny` says that something is open. */
export function looks(clock: Pick<Clock, 'after'>, isAny: () => boolean, look: () => void) {
  let cancel: (() => void) | null = null;
  const next = (): void => {
    cancel = isAny() ? clock.after(LOOK_MS, () => (look(), next())) : null;
  };
  return {
    /** Something is open now. */
    begin(): void {
      if (cancel === null) next();
    },
    end(): void {
      cancel?.();
      cancel = null;
    },
  };
}

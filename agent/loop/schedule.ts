import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';

/** Wakes the loop. It may be rung before anybody listens: the first who does hears it then. */
export interface Wakeups {
  readonly ring: () => void;
  /** From now on `wake` is called at every ring; only one listens. */
  readonly listen: (wake: () => void) => void;
}

/** Made before everything that rings it, so that nothing has to know the loop. */
export function wakeups(): Wakeups {
  let listener: (() => void) | null = null;
  let rung = false;
  return {
    ring(): void {
      rung = true;
      listener?.();
    },
    listen(wake): void {
      listener = wake;
      if (rung) wake();
    },
  };
}

export interface ScheduleOptions {
  readonly clock: Clock;
  /** A round at least this often, ms. */
  readonly pollMs: number;
  readonly round: () => Promise<void>;
  /** When the next round is due at the latest, several answers; Infinity: only on events. */
  readonly dueAtMs: (nowMs: number) => readonly number[];
  /** A timer that was due at `dueAtMs` fired at `nowMs`. */
  readonly fired: (dueAtMs: number, nowMs: number) => void;
  /** A round threw, which it should not. */
  readonly onError: (cause: string) => void;
}

/** One round after the other, never two at once; a round that is woken while it runs is followed by another. */
export function schedule({ clock, pollMs, round, dueAtMs, fired, onError }: ScheduleOptions) {
  const listeners = new Set<() => void>();
  let running: Promise<void> | null = null;
  let woken = false;
  let stopped = false;
  let cancelTimer = (): void => {};

  async function run(): Promise<void> {
    // `stop` and events change both while a round is under way.
    const due = (): boolean => woken && !stopped;
    while (due()) {
      woken = false;
      try {
        await round();
        for (const listener of listeners) listener();
      } catch (error) {
        onError(sentence(error));
      }
    }
    running = null;
    if (!stopped) sleep();
  }

  function sleep(): void {
    const nowMs = clock.nowMs();
    cancelTimer();
    // A wake-up in the past would spin; the next millisecond is soon enough.
    const atMs = Math.max(nowMs + 1, Math.min(nowMs + pollMs, ...dueAtMs(nowMs)));
    cancelTimer = clock.after(atMs - nowMs, () => {
      fired(atMs, clock.nowMs());
      wake();
    });
  }

  function wake(): void {
    if (stopped) return;
    woken = true;
    running ??= run();
  }

  return {
    /** Something may have changed: a round soon. */
    wake,
    /** Called after every round; the returned function ends that. */
    onRound(listener: () => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** No round begins any more; resolves once the one under way is over. */
    async stop(): Promise<void> {
      stopped = true;
      cancelTimer();
      await running;
    },
  };
}

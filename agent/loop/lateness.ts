import type { Timing } from '../core/timing.ts';

/**
 * How late this process was for what it had to do. A loop that was late
 * accuses nobody for a while; one that stood still for as long as a report
 * stays fresh (SIGSTOP, a paused virtual machine) has to join again.
 */
export function lateness(timing: Timing, onFrozen: (nowMs: number) => void) {
  let lateAtMs: number | null = null;
  const listeners = new Set<(lateMs: number) => void>();
  return {
    lateAtMs: (): number | null => lateAtMs,
    /** Called at every timer, with how late it fired. */
    onLate: (listener: (lateMs: number) => void): void => void listeners.add(listener),
    /** A timer due at `dueAtMs` fired at `nowMs`. */
    fired(dueAtMs: number, nowMs: number): void {
      const lateMs = nowMs - dueAtMs;
      for (const listener of listeners) listener(lateMs);
      if (lateMs >= timing.lateMs) lateAtMs = nowMs;
      if (lateMs >= timing.freshMs) onFrozen(nowMs);
    },
  };
}

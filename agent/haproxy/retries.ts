import type { Stamp } from '../core/model.ts';
import { compareStamps } from '../core/intents.ts';
import type { ServerTask } from '../core/servers/servers.ts';

const FIRST_MS = 1000;

interface Retry {
  readonly pid: number;
  readonly stamp: Stamp;
  readonly value: string;
  readonly pauseMs: number;
  readonly atMs: number;
}

/**
 * When a task that failed is due again: after one second, and after twice as long each time, up to
 * a limit. Another process of HAProxy, another wish and another value are due at once.
 */
export function retries(nowMs: () => number) {
  const known = new Map<string, Retry>();

  const ofSame = ({ key, stamp, value }: ServerTask, pid: number): Retry | undefined => {
    const before = known.get(key);
    const same = before?.pid === pid && before.value === value;
    return same && compareStamps(before.stamp, stamp) === 0 ? before : undefined;
  };

  return {
    isDue: (task: ServerTask, pid: number): boolean => (ofSame(task, pid)?.atMs ?? 0) <= nowMs(),
    failed(task: ServerTask, pid: number, mostMs: number): void {
      const { key, stamp, value } = task;
      const before = ofSame(task, pid);
      const pauseMs = Math.min(mostMs, before === undefined ? FIRST_MS : before.pauseMs * 2);
      known.set(key, { pid, stamp, value, pauseMs, atMs: nowMs() + pauseMs });
    },
    done: (key: string): void => void known.delete(key),
    /** How long until the first of these tasks is due, ms; null for none that waits. */
    nextMs(tasks: readonly ServerTask[], pid: number): number | null {
      const times = tasks.flatMap((task) => ofSame(task, pid)?.atMs ?? []);
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - nowMs());
    },
  };
}

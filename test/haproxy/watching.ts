import type { ExecutionContext } from 'ava';
import type { Listener, ListenerAnswer } from '../../agent/haproxy/listener.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import { olderProcesses } from '../../agent/haproxy/older.ts';
import { watchHaproxy } from '../../agent/haproxy/watch.ts';
import type { Clock } from '../../agent/sys/clock.ts';
import { FakeClock } from '../fake-clock.ts';
import { createRecord } from '../record.ts';

export const NONE: ListenerAnswer = { kind: 'none', at: '' };
export const ANSWERS: ListenerAnswer = { kind: 'answers', at: '127.0.0.1:80' };

interface WatchingOptions {
  readonly clock?: Clock;
  readonly hungAfterMs?: number;
  readonly answer?: () => ListenerAnswer;
  /** Instead of `answer`. */
  readonly listener?: Listener;
  /** What the process table has. */
  readonly process?: () => Promise<number | null>;
}

/** What is said of the HAProxy at a socket, from now on until the end of the test. */
export function watch(
  t: ExecutionContext,
  socketPath: string,
  {
    clock = new FakeClock(),
    hungAfterMs = 5000,
    answer = () => NONE,
    process = () => Promise.resolve(null),
    listener = { prepare: async () => undefined, ask: async () => answer() },
  }: WatchingOptions = {},
) {
  const said = createRecord<Liveness>();
  const older = olderProcesses(clock);
  const stop = watchHaproxy({
    socketPath,
    clock,
    hungAfterMs,
    listener,
    process,
    older,
    onChange: (one) => said.add(one),
  });
  const end = (): void => {
    stop();
    older.close();
  };
  t.teardown(end);
  return { said, older, stop: end };
}

export const up =
  (pid?: number) =>
  (one: Liveness): boolean =>
    one.kind === 'up' && (pid === undefined || one.pid === pid);
export const kinds = (items: readonly Liveness[]): string[] => items.map(({ kind }) => kind);

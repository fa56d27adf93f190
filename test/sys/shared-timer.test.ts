import test from 'ava';
import { sharedTimer, type Timers } from '../../agent/sys/shared-timer.ts';
import { settled } from '../fake-clock.ts';

/** Timers of Node that fire when told, `earlyMs` too early, and what was asked of them. */
function scripted(earlyMs = 0) {
  let nowMs = 0.5;
  const armed: number[] = [];
  let pending: { readonly atMs: number; readonly callback: () => void } | null = null;
  const timers: Timers = {
    set(ms, callback) {
      armed.push(ms);
      const mine = { atMs: nowMs + ms - earlyMs, callback };
      pending = mine;
      return () => void (pending === mine && (pending = null));
    },
    soon: (callback) => void setImmediate(callback),
  };
  const said: string[] = [];
  const after = sharedTimer(() => nowMs, timers);
  return {
    armed,
    said,
    after: (ms: number, what: string) => after(ms, () => void said.push(`${what} at ${nowMs}`)),
    raw: after,
    /** Until the next timer fires, and everything has settled. */
    next: async (): Promise<void> => {
      const { atMs, callback } = pending ?? { atMs: nowMs, callback: () => undefined };
      pending = null;
      nowMs = atMs;
      callback();
      for (let turn = 0; turn < 5; turn++) await settled();
    },
  };
}

test('those that are due together are woken by one timer, in the order in which they were set', async (t) => {
  const { armed, said, after, next } = scripted();
  after(50, 'a');
  after(80, 'later');
  after(50, 'b');
  after(49.5, 'first');
  await next();
  t.deepEqual(
    [armed, said],
    [
      [51, 51, 30],
      ['first at 51.5', 'a at 51.5', 'b at 51.5'],
    ],
  );
});

test('nobody is woken early, nor twice, by a timer that counts from the beginning of its millisecond', async (t) => {
  const { armed, said, after, next } = scripted(0.75);
  after(28.25, 'a');
  await next();
  t.deepEqual([armed, said], [[30], ['a at 29.75']]);
});

test('one that fires too early all the same is armed for the rest', async (t) => {
  const { armed, said, after, next } = scripted(3);
  after(20, 'a');
  await next();
  t.deepEqual([armed, said], [[21, 3], []]);
});

test('what was cancelled is not called, and arms nothing', async (t) => {
  const { armed, said, after, next } = scripted();
  const cancel = after(20, 'a');
  after(50, 'b');
  cancel();
  cancel();
  await next();
  await next();
  t.deepEqual([armed, said], [[21, 30], ['b at 51.5']]);
});

test('one cancels another that is due with it, also by a promise', async (t) => {
  const { raw, said, after, next } = scripted();
  let cancel = (): void => {};
  raw(10, () => void Promise.resolve().then(() => cancel()));
  cancel = after(10, 'b');
  after(10, 'c');
  await next();
  t.deepEqual(said, ['c at 11.5']);
});

test('what one throws keeps nobody else waiting', async (t) => {
  const { raw, said, after, next } = scripted();
  raw(10, () => {
    throw new Error('thrown');
  });
  after(30, 'b');
  await t.throwsAsync(next(), { message: 'thrown' });
  await next();
  t.deepEqual(said, ['b at 31.5']);
});

test('a wait longer than a timer of Node can be is armed in parts', async (t) => {
  const { armed, said, after, next } = scripted();
  after(3_000_000_000, 'a');
  await next();
  await next();
  t.deepEqual([armed, said.length], [[2 ** 31 - 1, 852_516_354], 1]);
});

test('one that was set for now is called in another turn', async (t) => {
  const { said, after, next } = scripted();
  after(-5, 'a');
  t.deepEqual(said, []);

  await next();
  t.deepEqual(said, ['a at 1.5']);
});

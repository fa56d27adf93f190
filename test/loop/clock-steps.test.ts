import test from 'ava';
import { clockSteps } from '../../agent/loop/clock-steps.ts';
import type { Clock } from '../../agent/sys/clock.ts';

test('a clock that is set is noticed once, either way; one that is slewed or stands still is not', (t) => {
  let nowMs = 50;
  let wallMs = 1_800_000_000_000;
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => wallMs, after: () => () => undefined };
  const stepped = clockSteps(clock);
  const after = (ms: number, wall: number): boolean => {
    nowMs += ms;
    wallMs += wall;
    return stepped();
  };
  t.deepEqual(
    [
      after(1000, 1000),
      after(1000, 1000.5),
      after(1000, -191_100),
      after(1000, 1000),
      after(0, 101),
      after(60_000, 60_000),
    ],
    [false, false, true, false, true, false],
  );
});

import test from 'ava';
import { onGrid } from '../../agent/core/grid.ts';

test('what is done again and again is done at moments that all such things share', (t) => {
  const at = (nowMs: number, ms: number): number => nowMs + onGrid(nowMs, ms);
  t.deepEqual(
    [at(0, 50), at(101.5, 50), at(149.5, 50), at(101.5, 100), at(149.5, 100), at(1001, 1000)],
    [50, 150, 150, 200, 200, 2000],
  );
});

test('no wait is longer than was asked for', (t) => {
  for (let nowMs = 0; nowMs < 100; nowMs += 0.5)
    for (const ms of [50, 100, 200, 1000])
      t.true(onGrid(nowMs, ms) <= ms && onGrid(nowMs, ms) > ms - 50, `${ms} at ${nowMs}`);
});

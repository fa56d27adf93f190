import { readdirSync } from 'node:fs';
import test from 'ava';
import { LEFT_OUT, NOT_REPLAYED } from './left-out.ts';
import { follow } from './script.ts';
import { BY_HAND } from './traces-by-hand.ts';
import { OF_ENDS } from './traces-of-ends.ts';
import { OF_TIMERS } from './traces-of-timers.ts';
import { OF_TROUBLE } from './traces-of-trouble.ts';

// The traces of two hosts on FreeBSD 12.1, typed again on two simulated kernels: test/kernel is
// right where nothing differs.

const TRACES = [...BY_HAND, ...OF_TROUBLE, ...OF_TIMERS, ...OF_ENDS];

for (const trace of TRACES)
  test(`${trace.name}: the same frames at the same times, the same log, the same state`, (t) => {
    const { differences, compared } = follow(trace);
    t.deepEqual(differences, []);
    const frames = (trace.windows ?? []).reduce((sum, one) => sum + one.frames.length, 0);
    t.is(compared, frames, 'every frame was compared');
  });

test('what is left out of the traces is in the table, and nothing else is in it', (t) => {
  const used = TRACES.flatMap((trace) => follow(trace).skipped);
  t.deepEqual([...new Set(used)].toSorted(), Object.keys(LEFT_OUT).toSorted());
  const files = readdirSync(
    new URL('../../../../test/fixtures/freebsd-12.1/traces', import.meta.url),
  );
  const windows = TRACES.flatMap(({ windows = [] }) => windows.map(({ name }) => `${name}.sniff`));
  const texts = TRACES.map(({ name }) => name.split(' ')[0]);
  const replayed = new Set([
    ...windows,
    ...texts,
    'sniff-12.1-planned-moves',
    'sniff-12.1-preempt-dualstack',
  ]);
  t.deepEqual(
    files
      .map((file) => file.replace(/\.txt$/, ''))
      .filter((file) => !replayed.has(file))
      .toSorted(),
    Object.keys(NOT_REPLAYED).toSorted(),
  );
});

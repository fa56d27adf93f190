import test from 'ava';
import { undoDemotion, unexplained } from '../../agent/core/doctor/demotion.ts';

test('each vhid in INIT explains the factor, no more and not where it added none', (t) => {
  const left = (demotion: number, inInit: number, downFactor = 240): number =>
    unexplained({ demotion, downFactor, inInit });
  t.deepEqual(
    [left(0, 0), left(240, 1), left(480, 2), left(240, 0), left(720, 2), left(480, 0)],
    [0, 0, 0, 240, 240, 480],
  );
  // No address on it: INIT, and nothing was added.
  t.deepEqual([left(0, 1), left(240, 2)], [0, 0]);
  t.deepEqual([left(100, 0), left(340, 1), left(-1, 1), left(7, 1, 0)], [100, 100, -1, 7]);
});

test('the line that takes it back adds the opposite', (t) => {
  t.is(undoDemotion(240), 'sysctl net.inet.carp.demotion=-240');
  t.is(undoDemotion(-1), 'sysctl net.inet.carp.demotion=1');
});

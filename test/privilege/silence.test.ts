import test from 'ava';
import { watchSilence } from '../../agent/privilege/silence.ts';
import { FakeClock } from '../fake-clock.ts';

const LIMIT_MS = 20_000;

function watched() {
  const clock = new FakeClock();
  const hung: number[] = [];
  const silence = watchSilence(clock, LIMIT_MS, () => hung.push(clock.nowMs()));
  return { clock, hung, silence };
}

test('a request without an answer for the limit is a hang, said once', async (t) => {
  const { clock, hung, silence } = watched();
  silence.asked(1);
  await clock.advance(LIMIT_MS - 1);
  t.deepEqual(hung, []);
  await clock.advance(1);
  silence.asked(2);
  silence.answered(1);
  await clock.advance(10 * LIMIT_MS);
  t.deepEqual(hung, [LIMIT_MS]);
});

test('any answer begins the limit anew, and without anything owed there is none', async (t) => {
  const { clock, hung, silence } = watched();
  silence.asked(1);
  silence.asked(2);
  for (let asked = 3; asked < 20; asked++) {
    silence.asked(asked);
    await clock.advance(LIMIT_MS / 2);
    silence.answered(asked);
  }
  silence.answered(1);
  silence.answered(2);
  await clock.advance(10 * LIMIT_MS);
  t.deepEqual(hung, []);
  silence.asked(20);
  const askedMs = clock.nowMs();
  await clock.advance(2 * LIMIT_MS);
  t.deepEqual(hung, [askedMs + LIMIT_MS]);
});

test('what was never asked is no answer, and after its end nothing is said', async (t) => {
  const { clock, hung, silence } = watched();
  silence.asked(1);
  await clock.advance(LIMIT_MS - 1);
  silence.answered(7);
  silence.stop();
  await clock.advance(LIMIT_MS);
  t.deepEqual(hung, []);
});

import test from 'ava';
import { draw, slackMs, TICK_MS, type Lateness } from './lateness.ts';
import { advertMs, masterDownMs } from './kernel.ts';
import { backup, IF } from './scene.ts';

test('the slack of a callout is a sixteenth at 5 percent, a 128th at 1, none at 0', (t) => {
  t.deepEqual(
    [5, 1, 0].map((deviation) => slackMs(deviation, 1024)),
    [64, 8, 0],
  );
});

test('callouts come between their time and the slack and a tick later, all over that span', (t) => {
  let dice: Lateness = { deviation: 5, seed: 1 };
  const late: number[] = [];
  for (let at = 0; at < 2000; at++) {
    const { lateMs, next } = draw(dice, 1000);
    late.push(lateMs - TICK_MS);
    dice = next;
  }
  t.true(Math.min(...late) >= 0 && Math.min(...late) < 1, String(Math.min(...late)));
  t.true(Math.max(...late) <= 62.5 && Math.max(...late) > 61.5, String(Math.max(...late)));
});

/** Times of the adverts of a lone host, ms after it became MASTER, and when that was. */
function adverts(lateness: Lateness | null, advskew: number) {
  const scene = backup({ advskew });
  scene.kernel = { ...scene.kernel, lateness };
  scene.hear(0);
  const times = scene
    .advance(12_000)
    .flatMap((line) => (line.includes(`advert 1@${IF}`) ? [Number.parseFloat(line)] : []));
  const [first = 0, ...rest] = times;
  return { takeoverMs: first, intervals: rest.map((at, i) => at - (times[i] ?? 0)) };
}

test('12.1 as it is: adverts and takeover are up to a sixteenth late, the same seed alike', (t) => {
  const { takeoverMs, intervals } = adverts({ deviation: 5, seed: 7 }, 100);
  const within = (ms: number, exact: number): boolean =>
    ms >= exact + TICK_MS && ms <= exact * (17 / 16) + TICK_MS;
  t.true(within(takeoverMs, masterDownMs(1, 100)), String(takeoverMs));
  t.true(intervals.length > 4);
  for (const ms of intervals) t.true(within(ms, advertMs(1, 100)), String(ms));
  t.true(new Set(intervals).size > 1, 'each is late by its own');
  t.deepEqual(adverts({ deviation: 5, seed: 7 }, 100), { takeoverMs, intervals });
  t.notDeepEqual(adverts({ deviation: 5, seed: 8 }, 100), { takeoverMs, intervals });
});

test('with alloweddeviation 0 only the tick is left; without lateness not even that', (t) => {
  const ticked = adverts({ deviation: 0, seed: 7 }, 100);
  t.is(ticked.takeoverMs, masterDownMs(1, 100) + TICK_MS);
  for (const ms of ticked.intervals) t.is(Math.round(ms * 1000), 1_391_625);
  for (const ms of adverts(null, 100).intervals) t.is(Math.round(ms * 1000), 1_390_625);
});

import test from 'ava';
import { fixture } from '../../fixture.ts';
import { advertMs, masterDownMs } from '../kernel.ts';
import { slackMs, TICK_MS } from '../lateness.ts';
import { linesOf, shortIn, sniff } from './trace.ts';

// Intervals that were measured, against the formula and what lateness allows.

/** Emulated machines are this much off, ms. */
const JITTER_MS = 9;

interface Measured {
  readonly what: string;
  readonly deviation: number;
  readonly advbase: number;
  /** Demoted and clamped. */
  readonly advskew: number;
  readonly ms: readonly number[];
}

/** "[dev N] skew N: dt=... dt=..." and "advbase N: dt=..." */
const measuredIn = (name: string): Measured[] =>
  linesOf(name).flatMap((line) => {
    const [, deviation = '5', what = '', value = '', rest = ''] =
      /^(?:dev (\d+) )?(skew|advbase) (\d+): (dt=.*)$/.exec(line) ?? [];
    if (what === '') return [];
    return [
      {
        what: line.slice(0, line.indexOf(':')),
        deviation: Number(deviation),
        advbase: what === 'advbase' ? Number(value) : 1,
        advskew: what === 'skew' ? Math.min(240, Number(value)) : 0,
        ms: [...rest.matchAll(/dt=([\d.]+)/g)].map(([, dt]) => Number(dt) * 1000),
      },
    ];
  });

test('e15, e16: every interval lies between the formula and its slack', (t) => {
  const all = [...measuredIn('e15'), ...measuredIn('e16')];
  t.is(all.length, 13);
  for (const { what, deviation, advbase, advskew, ms } of all) {
    const exact = advertMs(advbase, advskew);
    const latest = exact + TICK_MS + slackMs(deviation, exact) + JITTER_MS;
    for (const one of ms) t.true(one > exact - 1 && one < latest, `${what}: ${one}`);
  }
});

test('e15: nothing but lateness explains them: on average more than a quarter of it is used', (t) => {
  for (const { what, advskew, ms } of measuredIn('e15').filter(({ advbase }) => advbase === 1)) {
    const exact = advertMs(1, advskew);
    const late = ms.reduce((sum, one) => sum + one - exact, 0) / ms.length;
    t.true(late > slackMs(5, exact) / 4, `${what}: ${late}`);
  }
});

test('e16: with alloweddeviation 0 a tick is all', (t) => {
  for (const { what, advskew, ms } of measuredIn('e16').filter(({ deviation }) => deviation === 0))
    for (const one of ms)
      t.true(Math.abs(one - advertMs(1, advskew) - TICK_MS) < 1, `${what}: ${one}`);
});

test('IV: the adverts of a MASTER that never heard another carry counters without order', (t) => {
  const adverts = sniff('IV').flatMap((one) => (one.kind === 'advert' ? [one] : []));
  t.is(adverts.length, 6);
  for (const [at, { counter, atMs }] of adverts.slice(1).entries()) {
    const before = adverts[at];
    t.not(counter, (before?.counter ?? 0n) + 1n);
    const ms = atMs - (before?.atMs ?? 0);
    const exact = advertMs(1, 100);
    t.true(ms > exact && ms < exact + TICK_MS + slackMs(1, exact) + 2, String(ms));
  }
});

test('takeovers of e15 and e16: the master-down time, no shorter, and late by no more than its slack', (t) => {
  for (const [name, deviation, jitter] of [
    ['e15', 5, JITTER_MS],
    ['e16', 0, 4],
  ] as const) {
    const exact = masterDownMs(1, 100);
    const frames = takeoversOf(name);
    t.true(frames.length >= 2);
    for (const ms of frames)
      t.true(
        ms > exact && ms < exact + TICK_MS + slackMs(deviation, exact) + jitter,
        `${name}: ${ms}`,
      );
  }
});

/** From the last advert of the one to the first of the other. */
function takeoversOf(name: string): number[] {
  const all = shortIn(fixture(`freebsd-12.1/traces/${name}.txt`));
  return all.flatMap(({ atMs, words }, at) => {
    const before = all[at - 1];
    return before !== undefined && before.words.includes('skew=0 ') && words.includes('skew=100 ')
      ? [atMs - before.atMs]
      : [];
  });
}

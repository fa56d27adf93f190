import test from 'ava';
import * as fault from './faults.ts';
import type { Host } from './host.ts';
import { scene, type Scene } from './scene.ts';

// The passwords of carp(4) on a pair with agents: the steps of the guide, and what goes wrong in them.

/** Everything has come to rest. */
const CALM = 45_000;
/** A fence is lifted on trial once a minute after one that failed. */
const TRIALS = 130_000;
const OLD = 'secret';
const NEW = 'nineteen-characters';

/** Steps 2 to 6 of the guide, with so long between them; how the address was held meanwhile. */
async function rotate(s: Scene, words: { readonly onB: string; readonly onA: string }) {
  await s.maintenance(s.A, s.B, true);
  s.B.sysctl('allow', 0);
  s.B.typePassword(words.onB);
  const before = await s.watch(10_000);
  s.A.typePassword(words.onA);
  const between = await s.watch(10_000);
  s.B.sysctl('allow', 1);
  const after = await s.watch(20_000);
  await s.maintenance(s.A, s.B, false);
  return [before, between, after];
}

const HELD = { darkMs: 0, doubleMs: 0, by: ['haproxy01'] };

test('the steps of the guide: one MASTER at every moment, and a pair that takes over as before', (t) =>
  scene(t, {}, async (s) => {
    t.deepEqual(await rotate(s, { onB: NEW, onA: NEW }), [HELD, HELD, HELD]);
    await s.run(CALM);
    t.deepEqual([s.holder(), s.advskews(), s.B.kernel.allow], [s.A.name, [10, 100], 1]);
    t.deepEqual([s.alerts(s.A), s.alerts(s.B)], [[], []]);
    s.fault(fault.hostCrashed(s.world, s.A));
    await s.run(10_000);
    s.holds(s.B);
  }));

test('without allow=0 on the host that stands aside both are MASTER: what the step is for', (t) =>
  scene(t, {}, async (s) => {
    await s.maintenance(s.A, s.B, true);
    s.B.typePassword(NEW);
    const { doubleMs } = await s.watch(10_000);
    t.true(doubleMs > 0);
  }));

test('a password that got shorter is well until one host boots; then one keeps, and both say why', (t) =>
  scene(t, {}, async (s) => {
    for (const host of s.world.hosts) {
      host.key = 'a-longer-password';
      host.rcPassword = OLD;
    }
    t.deepEqual(await rotate(s, { onB: OLD, onA: OLD }), [HELD, HELD, HELD]);
    await s.run(CALM);
    t.deepEqual([s.B.key, s.alerts(s.B)], ['secret\0r-password', []]);
    const healed = s.fault(fault.hostCrashed(s.world, s.B));
    await s.run(5000);
    s.B.start();
    await s.run(CALM);
    t.deepEqual([s.A.key, s.B.key], ['secret\0r-password', 'secret']);
    t.is(s.holder(), s.A.name);
    t.deepEqual(texts(s.B), [
      'CARP adverts arrive and are not authentic: another password, the end of a longer old one, or another list of addresses; haproxy01 keeps the addresses',
    ]);
    // The remedy of the guide: the same steps with nineteen characters.
    t.deepEqual(await rotate(s, { onB: NEW, onA: NEW }), [HELD, HELD, HELD]);
    healed();
    await s.run(TRIALS);
    t.deepEqual([s.A.key, s.B.key, s.B.kernel.allow], [NEW, NEW, 1]);
    t.deepEqual([s.holder(), s.alerts(s.A), s.alerts(s.B)], [s.A.name, [], []]);
  }));

test('a wrong password typed while fenced: seen on trial and said, never two MASTERs for long; the right one heals', (t) =>
  scene(t, {}, async (s) => {
    for (const host of s.world.hosts) host.typePassword(NEW);
    const heal = s.fault(fault.advertsLost(s.world, 1));
    await s.run(10_000);
    t.is(s.B.kernel.allow, 0);
    const right = s.fault(fault.passwordWrong(s.B, 'wrong', NEW));
    heal();
    const { darkMs, doubleMs } = await s.watch(TRIALS);
    t.is(darkMs, 0);
    t.true(doubleMs < 1000, `two MASTERs for ${doubleMs} ms`);
    s.holds(s.A);
    t.is(s.B.kernel.allow, 0);
    t.deepEqual(
      texts(s.B).map((text) => text.slice(0, 45)),
      ['CARP adverts arrive and are not authentic: an'],
    );
    right();
    await s.run(TRIALS);
    t.deepEqual([s.holder(), s.B.kernel.allow, s.alerts(s.B)], [s.A.name, 1, []]);
  }));

/** What a host says of lost adverts. */
const texts = (host: Host): string[] =>
  (host.agent?.loop?.alerts() ?? [])
    .filter(({ id }) => id === 'adverts-lost')
    .map(({ text }) => text);

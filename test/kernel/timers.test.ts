import test from 'ava';
import fc from 'fast-check';
import { advertMs, demotedSkew, masterDownMs, newKernel, nextTimerAtMs } from './kernel.ts';
import { backup, IF, master, VIP4, VIP6 } from './scene.ts';

// [advbase, advskew, advert interval, master-down time], in microseconds: the kernel's integers.
const COMPUTED = [
  [1, 0, 1_000_000, 3_000_000],
  [1, 1, 1_003_906, 3_003_906],
  [1, 100, 1_390_625, 3_390_625],
  [1, 200, 1_781_250, 3_781_250],
  [1, 240, 1_937_500, 3_937_500],
  [1, 254, 1_937_500, 3_992_187],
  [2, 0, 2_000_000, 6_000_000],
  [5, 100, 5_390_625, 15_390_625],
] as const;

test('intervals and master-down times are the kernel’s to the microsecond', (t) => {
  const kernel = newKernel(14, false, [IF]);
  t.deepEqual(
    COMPUTED.map(([advbase, advskew]) => [
      advbase,
      advskew,
      Math.round(advertMs(advbase, demotedSkew(kernel, advskew)) * 1000),
      Math.round(masterDownMs(advbase, advskew) * 1000),
    ]),
    COMPUTED.map((row) => [...row]),
  );
});

test('a lone BACKUP becomes MASTER and advertises at the computed times', (t) => {
  for (const [advbase, advskew, , down] of COMPUTED) {
    const scene = backup({ advbase, advskew });
    const effective = Math.min(240, advskew);
    const [became] = scene.advance(down / 1000);
    t.is(became, `${down / 1000} ms: 1@${IF} BACKUP -> MASTER: master timed out`);
    // The first interval after becoming MASTER is by the advskew as it is set.
    const first = masterDownMs(advbase, advskew) - 2000 * advbase;
    t.is(scene.vhid().advertAtMs, down / 1000 + first);
    const said = scene.advance(first);
    t.deepEqual(
      said.map((one) => one.replace(/^[\d.]+ ms: /, '')),
      [`advert 1@${IF} ${advbase}/${effective} on IPv4`],
    );
  }
});

test('254 is advertised as 240 but waits as 254', (t) => {
  const scene = backup({ advskew: 254 });
  t.is(scene.vhid().masterDown4AtMs, 3992.187);
  scene.set({ state: 'MASTER' });
  t.is(scene.vhid().advertAtMs, 1992.187, 'once, right after becoming MASTER');
  t.deepEqual(scene.advance(1993), [`1992.187 ms: advert 1@${IF} 1/240 on IPv4`]);
  t.is(scene.vhid().advertAtMs, 1992.187 + 1937.5);
});

test('the demotion shortens no master-down time and stretches no first interval', (t) => {
  const scene = backup({ advskew: 10 });
  scene.sysctl('demotion', 100);
  t.deepEqual(scene.hear(0), []);
  t.is(scene.vhid().masterDown4AtMs, 3039.062);
  scene.set({ state: 'MASTER' });
  t.is(scene.vhid().advertAtMs, 1039.062);
  scene.advance(1040);
  t.is(scene.vhid().advertAtMs, 1039.062 + 1429.687, 'the demoted 110 from then on');
});

test('K2: a set of advskew alone moves no timer, and shows in the next advert', (t) => {
  const holder = master({ advskew: 0 });
  holder.nowMs = 400;
  t.deepEqual(holder.set({ advskew: 254 }), []);
  t.deepEqual(holder.advance(600), [`1000 ms: advert 1@${IF} 1/240 on IPv4`]);
  const waiting = backup({ advskew: 0 });
  waiting.set({ advskew: 254 });
  t.is(waiting.vhid().masterDown4AtMs, 3000);
});

test('an advskew of 254 counts in the comparison before any advert carries it', (t) => {
  const scene = master({ advskew: 0 });
  scene.set({ advskew: 254 });
  t.deepEqual(scene.hear(100), [`1@${IF} MASTER -> BACKUP: more frequent advertisement received`]);
});

test('each family has its own master-down timer, and its adverts arm only that', (t) => {
  const scene = backup({ v6: [VIP6] });
  scene.nowMs = 1000;
  scene.hear(0, { family: 4 });
  t.deepEqual([scene.vhid().masterDown4AtMs, scene.vhid().masterDown6AtMs], [4000, 3000]);
  scene.nowMs = 2000;
  scene.hear(0, { family: 6 });
  t.deepEqual([scene.vhid().masterDown4AtMs, scene.vhid().masterDown6AtMs], [4000, 5000]);
});

test('a dual-stack BACKUP that loses the adverts of one family becomes MASTER', (t) => {
  for (const family of [4, 6] as const) {
    const scene = backup({ v6: [VIP6], advskew: 100 });
    let said: string[] = [];
    while (scene.state === 'BACKUP' && scene.nowMs < 10_000) {
      scene.hear(0, { family });
      said = scene.advance(500);
    }
    t.is(said[0], `3390.625 ms: 1@${IF} BACKUP -> MASTER: master timed out`);
    scene.hear(0, { family });
    t.is(scene.state, 'BACKUP', 'and yields to the next advert of the other family');
  }
});

test('a BACKUP that loses its last IPv6 address still ends by the old IPv6 timer', (t) => {
  const scene = backup({ v6: [VIP6] });
  scene.nowMs = 2000;
  scene.addresses([VIP4], []);
  t.deepEqual([scene.vhid().masterDown4AtMs, scene.vhid().masterDown6AtMs], [5000, 3000]);
  t.is(scene.advance(1000)[0], `3000 ms: 1@${IF} BACKUP -> MASTER: master timed out`);
});

test('a MASTER has an advert due and nothing else; INIT has no timer', (t) => {
  const scene = master({ v6: [VIP6] });
  const { advertAtMs, masterDown4AtMs, masterDown6AtMs } = scene.vhid();
  t.deepEqual([advertAtMs, masterDown4AtMs, masterDown6AtMs], [1000, null, null]);
  scene.link(false);
  t.is(nextTimerAtMs(scene.kernel), null);
});

test('a BACKUP waits its master-down time after the last advert, neither less nor more', (t) => {
  const heard = fc.record({
    waitMs: fc.integer({ min: 0, max: 2900 }),
    advskew: fc.integer({ min: 0, max: 240 }),
  });
  fc.assert(
    fc.property(fc.array(heard), fc.integer({ min: 0, max: 254 }), (adverts, advskew) => {
      const scene = backup({ advskew });
      for (const advert of adverts) {
        scene.advance(advert.waitMs);
        scene.hear(advert.advskew);
      }
      scene.advance(masterDownMs(1, advskew) - 1);
      t.is(scene.state, 'BACKUP');
      scene.advance(2);
      t.is(scene.state, 'MASTER');
    }),
  );
});

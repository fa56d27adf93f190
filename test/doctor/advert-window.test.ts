import test from 'ava';
import { advertWindowMs } from '../../agent/inspect/advert-window.ts';
import { master, type Scene } from '../kernel/scene.ts';
import { address } from '../reports.ts';

/** Adverts that leave within doctor's window, which begins right after one. */
function sentInWindow(scene: Scene): number {
  const { advbase } = scene.vhid();
  const windowMs = advertWindowMs({ addresses: [address({ advbase })] });
  scene.advance((scene.vhid().advertAtMs ?? 0) - scene.nowMs);
  return scene.advance(windowMs).filter((line) => line.includes('advert')).length;
}

/** A MASTER whose timers are late, each seed in its own way. */
function late(seed: number, advbase: number): Scene {
  const scene = master({ advbase });
  scene.kernel = { ...scene.kernel, lateness: { deviation: 5, seed } };
  return scene;
}

for (const advbase of [1, 2])
  test(`advbase ${advbase}: two adverts leave while doctor looks, also from a MASTER that stands back`, (t) => {
    for (let seed = 1; seed <= 200; seed++) {
      const lowered = late(seed, advbase);
      lowered.set({ advskew: 254 });
      t.true(sentInWindow(lowered) >= 2);
      const demoted = late(seed, advbase);
      demoted.sysctl('demotion', 240);
      t.true(sentInWindow(demoted) >= 2);
    }
  });

test('before the first round it is as long as for advbase 1; a long advbase does not hold doctor up', (t) => {
  t.is(advertWindowMs(null), 4418);
  t.is(advertWindowMs({ addresses: [address(), address({ advbase: 2 })] }), 6543);
  t.is(advertWindowMs({ addresses: [address({ advbase: 20 })] }), 7000);
});

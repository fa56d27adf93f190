import test from 'ava';
import { hearFaulty } from './acts.ts';
import { backup, IF, master } from './scene.ts';

// What differs between 13.x, 14.x and 15.x. Peers, refused values and texts: ifconfig tests.

test('14.0 and later clamp a negative advskew at 0', (t) => {
  for (const release of [14, 15] as const) {
    const scene = master({ release, advskew: 0 });
    t.deepEqual(scene.sysctl('demotion', -1), [`advert 1@${IF} 1/0 on IPv4`]);
    t.is(scene.vhid().advertAtMs, 1000);
  }
});

test('13.0 counts with a negative advskew and puts its low byte on the wire', (t) => {
  const scene = master({ release: 13, advskew: 0 });
  t.deepEqual(scene.sysctl('demotion', -1), [`advert 1@${IF} 1/255 on IPv4`]);
  t.is(scene.vhid().advertAtMs, 996.094);
});

test('a negative demotion of the MASTER gives 13.0 two masters, and later releases none (PR 259528)', (t) => {
  const outcome = (release: 13 | 14) => {
    const holder = master({ release, preempt: true, advskew: 0 });
    const other = backup({ release, preempt: true, advskew: 100 });
    for (const effect of holder.sysctl('demotion', -1)) {
      const skew = Number(/1\/(\d+) on/.exec(effect)?.[1]);
      other.hear(skew);
    }
    if (other.state === 'MASTER') holder.hear(100);
    return [holder.state, other.state];
  };
  t.deepEqual(outcome(13), ['MASTER', 'MASTER']);
  t.deepEqual(outcome(14), ['MASTER', 'BACKUP']);
});

test('every release goes through the same states', (t) => {
  for (const release of [13, 14, 15] as const) {
    const scene = backup({ release, advskew: 100 });
    scene.advance(3391);
    scene.hear(100);
    t.is(scene.state, 'BACKUP');
    scene.set({ advskew: 0, state: 'MASTER' });
    scene.hear(1);
    t.is(scene.state, 'MASTER');
    scene.set({ state: 'BACKUP' });
    scene.sysctl('allow', 0);
    t.is(scene.state, 'INIT');
  }
});

test('a packet that is damaged is counted by family and fault; a fenced host looks no further', (t) => {
  const scene = backup();
  for (const fault of ['badTtl', 'badSum', 'badSum', 'tooShort', 'badVersion'] as const)
    scene.take(hearFaulty(scene.kernel, 4, fault));
  scene.sysctl('allow', 0);
  scene.take(hearFaulty(scene.kernel, 6, 'badSum'));
  t.deepEqual(scene.kernel.received, {
    v4: 5,
    v6: 1,
    badTtl: 1,
    badSum: 2,
    tooShort: 1,
    badVersion: 1,
    badAuth: 0,
    badVhid: 0,
  });
});

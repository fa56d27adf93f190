import test from 'ava';
import { backup, IF, master, Scene, VIP4, VIP6 } from './scene.ts';

test('a cable that is pulled takes every state to INIT and stops every timer', (t) => {
  for (const scene of [master({ v6: [VIP6] }), backup({ v6: [VIP6] })]) {
    const from = scene.state;
    t.deepEqual(scene.link(false), [`1@${IF} ${from} -> INIT: hardware interface down`]);
    t.deepEqual(scene.advance(60_000), []);
  }
});

test('a cable that comes back starts again in BACKUP', (t) => {
  const scene = master({ advskew: 100 });
  scene.link(false);
  scene.nowMs = 1000;
  t.deepEqual(scene.link(true), [`1@${IF} INIT -> BACKUP: initialization complete`]);
  t.is(scene.vhid().masterDown4AtMs, 4390.625);
});

test('`ifconfig down` and the cable are two things: both must be there', (t) => {
  const scene = master();
  scene.up(false);
  scene.link(false);
  t.deepEqual(scene.up(true), []);
  t.is(scene.state, 'INIT');
  t.deepEqual(scene.link(true), [`1@${IF} INIT -> BACKUP: initialization complete`]);
  t.is(scene.kernel.demotion, 0, 'demoted once for both');
});

test('other interfaces keep their states', (t) => {
  const scene = new Scene(14, false, [IF, 'vtnet1']);
  for (const name of [IF, 'vtnet1']) {
    scene.set({}, 1, name);
    scene.addresses([VIP4], [], 1, name);
    scene.set({ state: 'MASTER' }, 1, name);
  }
  scene.up(false, 'vtnet1');
  t.is(scene.vhid(1, IF).state, 'MASTER');
  t.is(scene.vhid(1, 'vtnet1').state, 'INIT');
});

test('adding an alias to a live MASTER drops its mastership for three seconds', (t) => {
  const scene = master();
  scene.nowMs = 500;
  t.deepEqual(scene.addresses([VIP4, '192.0.2.201'], []), [
    `1@${IF} MASTER -> INIT: hardware interface up`,
    `1@${IF} INIT -> BACKUP: initialization complete`,
  ]);
  t.is(scene.advance(3000)[0], `3500 ms: 1@${IF} BACKUP -> MASTER: master timed out`);
});

test('removing one of two addresses does the same', (t) => {
  const scene = master({ v4: [VIP4, '192.0.2.201'] });
  t.deepEqual(scene.addresses([VIP4], []), [
    `1@${IF} MASTER -> INIT: hardware interface up`,
    `1@${IF} INIT -> BACKUP: initialization complete`,
  ]);
});

test('removing the last address takes the vhid away', (t) => {
  const scene = master();
  t.deepEqual(scene.addresses([], []), [`1@${IF} MASTER -> INIT: hardware interface up`]);
  t.deepEqual(scene.kernel.vhids, []);
});

test('a vhid removed while its interface is down takes its demotion with it', (t) => {
  const scene = backup();
  scene.link(false);
  t.is(scene.kernel.demotion, 240);
  t.deepEqual(scene.addresses([], []), []);
  t.is(scene.kernel.demotion, 0);
});

test('an empty vhid does not demote when it is made, but when an address comes to a dead link', (t) => {
  const scene = new Scene();
  scene.link(false);
  scene.set({}, 5);
  t.is(scene.kernel.demotion, 0);
  t.deepEqual(scene.addresses([VIP4], [], 5), []);
  t.is(scene.kernel.demotion, 240);
});

import test from 'ava';
import { setSysctl } from './acts.ts';
import { backup, IF, master, Scene, VIP4 } from './scene.ts';

test('what is written to the demotion is added, and taken back by its negative', (t) => {
  const scene = backup();
  scene.sysctl('demotion', 240);
  scene.sysctl('demotion', 240);
  t.is(scene.kernel.demotion, 480);
  scene.sysctl('demotion', -240);
  scene.sysctl('demotion', -240);
  t.is(scene.kernel.demotion, 0);
});

test('every MASTER vhid advertises a changed demotion at once, the newest first, BACKUPs say nothing', (t) => {
  const scene = master({ advskew: 10 });
  scene.set({ advskew: 20 }, 2);
  scene.addresses(['192.0.2.202'], [], 2);
  scene.set({ advskew: 30 }, 3);
  scene.addresses(['192.0.2.203'], [], 3);
  scene.set({ state: 'MASTER' }, 3);
  scene.nowMs = 300;
  t.deepEqual(scene.sysctl('demotion', 100), [
    `advert 3@${IF} 1/130 on IPv4`,
    `advert 1@${IF} 1/110 on IPv4`,
  ]);
  t.is(scene.vhid(1).advertAtMs, 300 + 1429.687);
});

test('K3: a demotion of 0 advertises too, and logs `demoted by 0`', (t) => {
  const scene = master({ advskew: 254 });
  t.deepEqual(scene.sysctl('demotion', 0), [`advert 1@${IF} 1/240 on IPv4`]);
  t.deepEqual(scene.log(setSysctl(scene.kernel, 'demotion', 0, 0)), [
    'carp: demoted by 0 to 0 (sysctl)',
  ]);
});

test('the demoted advskew lies between 0 and 240', (t) => {
  const scene = master({ advskew: 100 });
  t.deepEqual(
    [139, 1, 1, 1000, -1141, -100, -1].map((by) => scene.sysctl('demotion', by)),
    [239, 240, 240, 240, 100, 0, 0].map((skew) => [`advert 1@${IF} 1/${skew} on IPv4`]),
  );
});

test('demoting the holder moves the address to a peer with preempt at once', (t) => {
  const holder = master();
  const taker = backup({ preempt: true, advskew: 100 });
  t.deepEqual(holder.sysctl('demotion', 240), [`advert 1@${IF} 1/240 on IPv4`]);
  taker.hear(240);
  t.is(taker.state, 'MASTER');
  holder.hear(100);
  t.is(holder.state, 'BACKUP');
});

test('without preempt demoting the holder moves nothing', (t) => {
  const taker = backup({ preempt: false, advskew: 100 });
  taker.hear(240);
  t.is(taker.state, 'BACKUP');
});

test('two hosts demoted to 240 tie: the BACKUP does not preempt, the MASTER yields', (t) => {
  const waiting = backup({ preempt: true, advskew: 100 });
  waiting.sysctl('demotion', 240);
  waiting.hear(240);
  t.is(waiting.state, 'BACKUP');
  const holding = master();
  holding.sysctl('demotion', 480);
  holding.hear(240);
  t.is(holding.state, 'BACKUP');
});

test('an interface that goes down demotes the host once for each of its vhids', (t) => {
  const scene = three();
  scene.set({ state: 'MASTER' }, 9, 'vtnet1');
  t.deepEqual(scene.link(false), [
    `1@${IF} MASTER -> INIT: hardware interface down`,
    `2@${IF} BACKUP -> INIT: hardware interface down`,
    `3@${IF} BACKUP -> INIT: hardware interface down`,
    'advert 9@vtnet1 1/240 on IPv4',
  ]);
  t.is(scene.kernel.demotion, 720);
  t.deepEqual(scene.link(false), [], 'the same news twice is no news');
  t.deepEqual(scene.link(true).at(-1), 'advert 9@vtnet1 1/0 on IPv4');
  t.is(scene.kernel.demotion, 0);
});

test('a factor changed while an interface is down leaves a residue', (t) => {
  const scene = backup();
  scene.link(false);
  scene.sysctl('ifdown_demotion_factor', 100);
  scene.link(true);
  t.is(scene.kernel.demotion, 140);
});

test('a fence sends no parting advert, whatever other vhids were MASTER', (t) => {
  const scene = three();
  scene.set({ state: 'MASTER' }, 2);
  scene.set({ state: 'MASTER' }, 9, 'vtnet1');
  t.deepEqual(scene.sysctl('allow', 0), [
    `9@vtnet1 MASTER -> INIT: hardware interface down`,
    `3@${IF} BACKUP -> INIT: hardware interface down`,
    `2@${IF} MASTER -> INIT: hardware interface down`,
    `1@${IF} MASTER -> INIT: hardware interface down`,
  ]);
  t.is(scene.kernel.demotion, 960);
});

test('any change of allow, 1 to 5 as well, sends every vhid through INIT', (t) => {
  const scene = master();
  t.deepEqual(scene.sysctl('allow', 5), [
    `1@${IF} MASTER -> INIT: hardware interface up`,
    `1@${IF} INIT -> BACKUP: initialization complete`,
  ]);
  t.deepEqual(scene.sysctl('allow', 5), []);
  t.deepEqual(scene.sysctl('allow', 1), [
    `1@${IF} BACKUP -> INIT: hardware interface up`,
    `1@${IF} INIT -> BACKUP: initialization complete`,
  ]);
  t.is(scene.kernel.demotion, 0);
});

test('a fence that is lifted gives the demotion back and starts in BACKUP', (t) => {
  const scene = master();
  scene.sysctl('allow', 0);
  t.deepEqual(scene.sysctl('allow', 0), []);
  t.deepEqual(scene.sysctl('allow', 1), [`1@${IF} INIT -> BACKUP: initialization complete`]);
  t.is(scene.kernel.demotion, 0);
});

test('K4: a fenced host counts the adverts it gets, but not the bad ones', (t) => {
  const scene = backup();
  scene.sysctl('allow', 0);
  scene.hear(0);
  scene.hear(0, { family: 6 });
  scene.hear(0, { authentic: false });
  const { v4, v6, badAuth, badVhid } = scene.kernel.received;
  t.deepEqual({ v4, v6, badAuth, badVhid }, { v4: 2, v6: 1, badAuth: 0, badVhid: 0 });
});

test('a demoted BACKUP is not excluded: it still takes over from a dead master', (t) => {
  const scene = backup({ advskew: 100 });
  scene.sysctl('demotion', 240);
  t.is(scene.advance(4000)[0], `3390.625 ms: 1@${IF} BACKUP -> MASTER: master timed out`);
});

test('three adverts that cannot be sent demote the host, three that can take it back', (t) => {
  for (const release of [14, 15] as const) {
    const scene = master({ release });
    t.deepEqual([scene.sent(13), scene.sent(13)], [[], []]);
    t.deepEqual(scene.sent(13), [`advert 1@${IF} 1/240 on IPv4`]);
    scene.sent(13);
    t.is(scene.kernel.demotion, 240, 'once, however long it lasts');
    scene.sent(null);
    scene.sent(null);
    t.is(scene.kernel.demotion, 240);
    t.deepEqual(scene.sent(null), [`advert 1@${IF} 1/0 on IPv4`]);
    t.is(scene.kernel.demotion, 0);
  }
});

test('errors add up until three adverts in a row have left', (t) => {
  const scene = master();
  for (const errno of [55, null, 55, null, null, 55]) scene.sent(errno);
  t.is(scene.kernel.demotion, 240);
  const forgiven = master();
  for (const errno of [55, 55, null, null, null, 55, 55]) forgiven.sent(errno);
  t.is(forgiven.kernel.demotion, 0);
});

test('13.0 forgets the errors at the first success, so its demotion sticks', (t) => {
  const scene = master({ release: 13 });
  for (const errno of [13, 13, 13, null, null, null, null]) scene.sent(errno);
  t.is(scene.kernel.demotion, 240);
  for (const errno of [13, 13, null, 13, 13, null]) scene.sent(errno);
  t.is(scene.kernel.demotion, 240, 'two errors are no three');
  for (const errno of [13, 13, 13]) scene.sent(errno);
  t.is(scene.kernel.demotion, 480);
});

/** Vhids 1 (MASTER), 2 and 3 on one interface, 9 on another. */
function three(): Scene {
  const scene = new Scene(14, false, [IF, 'vtnet1']);
  scene.set({});
  scene.addresses([VIP4], []);
  for (const vhid of [2, 3]) {
    scene.set({}, vhid);
    scene.addresses([`192.0.2.20${vhid}`], [], vhid);
  }
  scene.set({}, 9, 'vtnet1');
  scene.addresses(['198.51.100.9'], [], 9, 'vtnet1');
  scene.set({ state: 'MASTER' });
  return scene;
}

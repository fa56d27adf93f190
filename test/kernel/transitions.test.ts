import test from 'ava';
import { setVhid } from './acts.ts';
import { backup, IF, master, Scene, VIP4, VIP6 } from './scene.ts';

// The transition table of carp(4): sys/netinet/ip_carp.c.

test('setting a vhid that is not there makes an empty one in INIT, without a word', (t) => {
  const scene = new Scene();
  t.deepEqual(scene.set({ advskew: 7, state: 'MASTER' }, 99), []);
  const { state, advbase, advskew, vips4, vips6, advertAtMs } = scene.vhid(99);
  t.deepEqual(
    { state, advbase, advskew, vips4, vips6, advertAtMs },
    { state: 'INIT', advbase: 1, advskew: 7, vips4: [], vips6: [], advertAtMs: null },
  );
});

test('the first address of a vhid on a live interface takes it from INIT to BACKUP', (t) => {
  const scene = new Scene();
  scene.set({ advskew: 100 });
  t.deepEqual(scene.addresses([VIP4], []), [`1@${IF} INIT -> BACKUP: initialization complete`]);
  t.is(scene.vhid().masterDown4AtMs, 3390.625);
  t.is(scene.vhid().masterDown6AtMs, null);
});

test('a vhid stays in INIT while its interface, its link or allow is missing', (t) => {
  for (const prepare of [
    (scene: Scene) => scene.up(false),
    (scene: Scene) => scene.link(false),
    (scene: Scene) => scene.sysctl('allow', 0),
  ]) {
    const scene = new Scene();
    prepare(scene);
    scene.set({});
    scene.addresses([VIP4], []);
    t.is(scene.state, 'INIT');
    t.deepEqual(scene.advance(10_000), []);
  }
});

test('a BACKUP that hears nothing becomes MASTER: advert, announcement, then the next advert', (t) => {
  const scene = backup({ v6: [VIP6] });
  t.deepEqual(scene.advance(4000), [
    `3000 ms: 1@${IF} BACKUP -> MASTER: master timed out`,
    `3000 ms: advert 1@${IF} 1/0 on IPv4 IPv6`,
    `3000 ms: announce 1@${IF}`,
    `4000 ms: advert 1@${IF} 1/0 on IPv4 IPv6`,
  ]);
});

test('with preempt a BACKUP takes over from a master that advertises more slowly', (t) => {
  const scene = backup({ preempt: true, advskew: 50 });
  t.deepEqual(scene.hear(51), [
    `1@${IF} BACKUP -> MASTER: preempting a slower master`,
    `advert 1@${IF} 1/50 on IPv4`,
    `announce 1@${IF}`,
  ]);
  const equal = backup({ preempt: true, advskew: 50 });
  t.deepEqual(equal.hear(50), [], 'an equal one is not slower');
  t.is(equal.state, 'BACKUP');
});

test('without preempt a slower master only arms the timer again', (t) => {
  const scene = backup({ advskew: 0 });
  scene.advance(2500);
  t.deepEqual(scene.hear(254), []);
  t.is(scene.vhid().masterDown4AtMs, 5500);
});

test('a master so slow that it will time out is taken over at once, even without preempt', (t) => {
  const scene = backup({ advskew: 100 });
  t.deepEqual(scene.hear(100, { advbase: 3 }), [], '3 * advbase + skew is not less');
  t.deepEqual(scene.hear(101, { advbase: 3 }), [
    `1@${IF} BACKUP -> MASTER: master will time out`,
    `advert 1@${IF} 1/100 on IPv4`,
    `announce 1@${IF}`,
  ]);
});

test('a master that will time out is judged by the demoted advskew', (t) => {
  const scene = backup({ advskew: 0 });
  scene.sysctl('demotion', 100);
  t.deepEqual(scene.hear(100, { advbase: 3 }), []);
  t.is(scene.hear(101, { advbase: 3 })[0], `1@${IF} BACKUP -> MASTER: master will time out`);
});

test('a MASTER yields to a more frequent advert, and to an equal one', (t) => {
  for (const advskew of [99, 100]) {
    const scene = master({ advskew: 100 });
    scene.nowMs = 500;
    t.deepEqual(scene.hear(advskew), [
      `1@${IF} MASTER -> BACKUP: more frequent advertisement received`,
    ]);
    const { advertAtMs, masterDown4AtMs } = scene.vhid();
    t.deepEqual({ advertAtMs, masterDown4AtMs }, { advertAtMs: null, masterDown4AtMs: 3890.625 });
  }
});

test('a MASTER lets a slower advert pass without an answer, and keeps its own time', (t) => {
  const scene = master({ advskew: 100 });
  const before = scene.vhid();
  scene.nowMs = 500;
  t.deepEqual(scene.hear(101), []);
  t.deepEqual(scene.vhid(), before);
});

test('advbase counts before advskew', (t) => {
  t.deepEqual(master({ advbase: 2 }).hear(254), [
    `1@${IF} MASTER -> BACKUP: more frequent advertisement received`,
  ]);
  t.deepEqual(master({ advskew: 254 }).hear(0, { advbase: 2 }), []);
});

test('`state backup` sends nothing: the address is dark until a timer ends', (t) => {
  const scene = master({ advskew: 10 });
  scene.nowMs = 100;
  t.deepEqual(scene.set({ state: 'BACKUP' }), [
    `1@${IF} MASTER -> BACKUP: user requested via ifconfig`,
  ]);
  t.deepEqual(scene.advance(3100).slice(0, 1), [
    `3139.062 ms: 1@${IF} BACKUP -> MASTER: master timed out`,
  ]);
});

test('`state master` on a BACKUP is the whole way to MASTER at once', (t) => {
  t.deepEqual(backup({ advskew: 100 }).set({ state: 'MASTER' }), [
    `1@${IF} BACKUP -> MASTER: user requested via ifconfig`,
    `advert 1@${IF} 1/100 on IPv4`,
    `announce 1@${IF}`,
  ]);
});

test('a state asked of a vhid in INIT is ignored', (t) => {
  const scene = backup();
  scene.link(false);
  for (const state of ['MASTER', 'BACKUP'] as const) {
    t.deepEqual(scene.set({ state }), []);
    t.is(scene.state, 'INIT');
  }
});

test('`state init`, and the state that holds already, do nothing', (t) => {
  for (const scene of [master(), backup()]) {
    const before = scene.kernel;
    t.deepEqual(scene.set({ state: 'INIT' }), []);
    t.deepEqual(scene.set({ state: scene.vhid().state }), []);
    t.deepEqual(scene.kernel, before);
  }
});

test('K1: advskew is stored before the state is acted on, so the first advert carries it', (t) => {
  const scene = backup({ advskew: 254 });
  t.deepEqual(scene.set({ advskew: 20, state: 'MASTER' }), [
    `1@${IF} BACKUP -> MASTER: user requested via ifconfig`,
    `advert 1@${IF} 1/20 on IPv4`,
    `announce 1@${IF}`,
  ]);
});

test('K5: `state backup` on a BACKUP does not hold it down', (t) => {
  const scene = backup();
  for (let at = 0; at < 5; at++) {
    scene.advance(500);
    scene.set({ state: 'BACKUP' });
  }
  t.is(scene.advance(500)[0], `3000 ms: 1@${IF} BACKUP -> MASTER: master timed out`);
});

test('K6: a set with the state of an earlier read forces that state back', (t) => {
  const scene = master();
  const read = { ...scene.vhid(), advskew: 5 };
  scene.hear(0);
  t.is(scene.state, 'BACKUP', 'it changed between GET and SET');
  scene.take(setVhid(scene.kernel, IF, 1, read, scene.nowMs));
  t.is(scene.state, 'MASTER');
  t.is(scene.vhid().advskew, 5);
});

test('an advert of a vhid, an interface or a family that carries no address here changes nothing', (t) => {
  const scene = master({ advskew: 100 });
  t.deepEqual(scene.hear(0, { vhid: 2 }), []);
  t.deepEqual(scene.hear(0, { interface: 'vtnet1' }), []);
  t.deepEqual(scene.hear(0, { family: 6 }), [], 'no IPv6 VIP');
  t.is(scene.state, 'MASTER');
  t.is(scene.kernel.received.badVhid, 3);
});

test('a wrong HMAC makes two masters: neither hears the other', (t) => {
  const one = master();
  const other = backup({ advskew: 100 });
  for (let at = 0; at < 5; at++) {
    other.hear(0, { authentic: false });
    one.hear(100, { authentic: false });
    other.advance(1000);
    one.advance(1000);
  }
  t.deepEqual([one.state, other.state], ['MASTER', 'MASTER']);
  t.is(other.kernel.received.badAuth, 5);
});

test('INIT hears nothing', (t) => {
  const scene = backup({ preempt: true });
  scene.link(false);
  t.deepEqual(scene.hear(254), []);
  t.is(scene.state, 'INIT');
});

test('the log has the words of carp_set_state and carp_demote_adj; with log 0 the routes are left', (t) => {
  const scene = backup();
  const settings = { ...scene.vhid(), state: 'MASTER' as const };
  t.deepEqual(scene.log(setVhid(scene.kernel, IF, 1, settings, 0)), [
    `carp: 1@${IF}: BACKUP -> MASTER (user requested via ifconfig)`,
  ]);
  scene.sysctl('log', 0);
  t.deepEqual(scene.log(setVhid(scene.kernel, IF, 1, { ...settings, state: 'BACKUP' }, 0)), [
    `${IF}: deletion failed: 3`,
  ]);
});

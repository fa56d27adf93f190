import test from 'ava';
import { STATE_FILE } from './agent.ts';
import * as fault from './faults.ts';
import { scene } from './scene.ts';
import { ADDRESS } from './world.ts';

const CALM = 45_000;

test('planned failover and failback: dark for 30 ms at most', async (t) => {
  for (const seed of [1, 2, 3, 4, 5])
    await scene(t, { seed }, async (s) => {
      void s.ask(s.A, { verb: 'move', address: ADDRESS, to: s.B.name, unpin: false });
      const there = await s.watch(2000);
      t.is(there.by.at(-1), s.B.name);
      void s.ask(s.A, { verb: 'move', address: ADDRESS, to: null, unpin: true });
      const back = await s.watch(2000);
      t.is(back.by.at(-1), s.A.name);
      t.true(Math.max(there.darkMs, back.darkMs) <= 30, `${there.darkMs}, ${back.darkMs} ms`);
    });
});

test('HAProxy killed on the MASTER: the other has the address within 100 ms', async (t) => {
  for (const seed of [1, 2, 3, 4, 5])
    await scene(t, { seed }, async (s) => {
      s.fault(fault.haproxyDead(s.A));
      t.true(await s.world.until(() => s.holder() === s.B.name, 100));
    });
});

test('host cut off or without power: the other has the address within 300 ms', async (t) => {
  for (const seed of [1, 2, 3, 4, 5])
    for (const make of [fault.hostCut, fault.hostCrashed])
      await scene(t, { seed }, async (s) => {
        s.fault(make(s.world, s.A));
        const took = await s.world.until(() => s.B.isMaster(), 300);
        t.true(took, s.world.story.text(20));
      });
});

test('MASTER cut off the LAN with gossip alive: nobody fences the one that clients reach', (t) =>
  scene(t, { management: true }, async (s) => {
    const heal = s.fault(fault.hostCut(s.world, s.A));
    await s.run(5000);
    s.holds(s.B);
    const held = await s.watch(30_000);
    t.deepEqual(held, { darkMs: 0, doubleMs: 0, by: [s.B.name] });
    heal();
    await s.run(CALM);
    t.deepEqual([s.holder(), s.advskews()], [s.A.name, [10, 100]]);
  }));

test('keeper cut off the LAN while the other is fenced: the fence is lifted', (t) =>
  scene(t, { management: true }, async (s) => {
    s.fault(fault.advertsLost(s.world, 1));
    await s.run(10_000);
    t.deepEqual([s.holder(), s.B.kernel.allow], [s.A.name, 0]);
    s.fault(fault.hostCut(s.world, s.A));
    await s.run(8000);
    s.holds(s.B);
  }));

const ACTIVE_ACTIVE = [
  { vhid: 1, advskew: [10, 100], vips4: ['192.0.2.200'], vips6: ['2001:db8::200'] },
  { vhid: 2, advskew: [100, 10], vips4: ['192.0.2.201'], vips6: [] },
];

test('one family filtered, two addresses on two hosts: the flapping ends', (t) =>
  scene(t, { vhids: ACTIVE_ACTIVE }, async (s) => {
    s.fault(fault.advertsLost(s.world, 1, { family: 6 }));
    await s.run(20_000);
    const held = await s.watch(20_000);
    t.is(held.by.length, 1);
  }));

test('one family filtered, two addresses on two hosts: nothing flaps once it is healed', (t) =>
  scene(t, { vhids: ACTIVE_ACTIVE }, async (s) => {
    await s.during(20_000, fault.advertsLost(s.world, 1, { family: 6 }));
    await s.run(20_000);
    let sets = 0;
    let before = '';
    for (let step = 0; step < 2000; step++) {
      const now = JSON.stringify(s.world.hosts.map((host) => [host.advskew(1), host.advskew(2)]));
      if (before !== '' && now !== before) sets++;
      before = now;
      await s.run(10);
    }
    t.true(sets <= 2, `advskew changed ${sets} times in 20 s`);
  }));

for (const loss of ['torn', 'empty', 'old'] as const)
  test(`a host that comes back with a disk that is ${loss} takes part again and gets what was wished`, (t) =>
    scene(t, {}, async (s) => {
      await s.order(s.A, { verb: 'servers', target: 'WEB/s1', state: 'drain' });
      const heal = s.fault(fault.hostCrashed(s.world, s.A, loss));
      await s.run(5000);
      s.holds(s.B);
      heal();
      await s.run(CALM);
      t.deepEqual([s.holder(), s.advskews()], [s.A.name, [10, 100]]);
      t.is(s.A.haproxy.servers.get('WEB/s1'), 'drain');
    }));

test('what a full disk refused is stored once there is room', (t) =>
  scene(t, {}, async (s) => {
    const heal = s.fault(fault.diskFull(s.B));
    void s.ask(s.A, { verb: 'servers', target: 'WEB/s1', state: 'drain' });
    await s.run(3000);
    t.false(s.B.disk.content(STATE_FILE)?.includes('WEB/s1'));
    heal();
    await s.run(6000);
    t.true(s.B.disk.content(STATE_FILE)?.includes('WEB/s1'));
  }));

test('a drain with an end ends by itself on a pair where nothing else happens', (t) =>
  scene(t, {}, async (s) => {
    void s.ask(s.A, { verb: 'servers', target: 'WEB/s1', state: 'drain' }, 5000);
    await s.run(4000);
    const drained = s.world.hosts.map(({ haproxy }) => haproxy.servers.get('WEB/s1'));
    await s.run(3000);
    const after = s.world.hosts.map(({ haproxy }) => haproxy.servers.get('WEB/s1'));
    t.deepEqual(
      [drained, after],
      [
        ['drain', 'drain'],
        [undefined, undefined],
      ],
    );
  }));

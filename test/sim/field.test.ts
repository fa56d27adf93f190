import test from 'ava';
import * as fault from './faults.ts';
import * as field from './field-faults.ts';
import { scene } from './scene.ts';

const CALM = 45_000;
/** A BACKUP's own timer after the last advert, and a little. */
const KERNEL_MS = 3700;

test('demotion left behind on the taker: a dead HAProxy gives it the address at once', (t) =>
  scene(t, {}, async (s) => {
    s.fault(fault.sendError(s.B));
    await s.run(15_000);
    t.deepEqual(s.alerts(s.A).filter((id) => id === 'redundancy-lost').length, 1);
    s.fault(fault.haproxyDead(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, 200));
  }));

test('gossip cut both ways, HAProxy dead: the kernel of who lives has it within its own timer', (t) =>
  scene(t, {}, async (s) => {
    s.fault(fault.portClosed(s.world));
    await s.run(10_000);
    s.fault(fault.haproxyDead(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, KERNEL_MS), s.world.story.text(20));
  }));

test('one-way gossip, the holder does not hear: the taker needs no grant', (t) =>
  scene(t, {}, async (s) => {
    s.fault(fault.gossipOneWay(s.world, s.B, s.A));
    await s.run(10_000);
    t.true(s.alerts(s.B).includes('one-way'));
    t.true(s.alerts(s.A).includes('one-way'));
    t.is(await s.pin(s.B, s.B), 'unreachable');
    s.fault(fault.haproxyDead(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, 200), s.world.story.text(20));
  }));

test('one-way gossip, the holder is not heard: it steps out at once', (t) =>
  scene(t, {}, async (s) => {
    s.fault(fault.gossipOneWay(s.world, s.A, s.B));
    await s.run(10_000);
    t.true(s.alerts(s.A).includes('one-way'));
    t.true(s.alerts(s.B).includes('one-way'));
    s.fault(fault.haproxyDead(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, KERNEL_MS), s.world.story.text(20));
  }));

for (const which of ['A', 'B'] as const)
  test(`clock behind at an empty disk on ${which}: the pair is whole again`, (t) =>
    scene(t, {}, async (s) => {
      const heal = s.fault(fault.hostCrashed(s.world, s[which], 'behind'));
      await s.run(5000);
      heal();
      await s.run(2 * CALM);
      t.deepEqual([s.holder(), s.advskews()], [s.A.name, [10, 100]]);
    }));

for (const how of ['later', 'alike'] as const)
  test(`cloned host, counting its starts ${how}: named on every node, nothing moves to it, and the real one recovers`, (t) =>
    scene(t, {}, async (s) => {
      const heal = s.fault(field.cloned(s.world, s.B, how));
      await s.run(6000);
      t.deepEqual(
        [s.A, s.B].map((host) => s.alerts(host).includes('same-name')),
        [true, true],
      );
      t.is(await s.pin(s.A, s.B), 'unreachable');
      s.holds(s.A);
      heal();
      await s.run(10_000);
      t.deepEqual(
        [s.A, s.B].map((host) => s.alerts(host).includes('same-name')),
        [false, false],
      );
      t.is(await s.pin(s.A, s.B), 'reached');
    }));

test('a disk as it was before, counting its starts as before: the host is believed again', (t) =>
  scene(t, {}, async (s) => {
    const early = s.B.disk.copyAll();
    s.B.endAgent('kill');
    // Nothing of the time has passed on its clock: its epoch is the stored one and one more.
    s.B.clock.wallMs -= 3_600_000;
    s.B.startAgent();
    await s.run(20_000);
    s.B.backup = early;
    const heal = s.fault(fault.hostCrashed(s.world, s.B, 'old'));
    await s.run(5000);
    heal();
    await s.run(CALM);
    t.is(await s.pin(s.A, s.B), 'reached');
    s.holds(s.B);
  }));

test('an HAProxy that cannot be asked moves nothing and is no reason against a rescue', (t) =>
  scene(t, {}, async (s) => {
    const heal = s.fault(field.haproxyUnknown(s.A));
    const held = await s.watch(20_000);
    t.deepEqual(held, { darkMs: 0, doubleMs: 0, by: [s.A.name] });
    heal();
    s.fault(field.haproxyUnknown(s.B));
    await s.run(5000);
    s.fault(fault.haproxyDead(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, 200));
  }));

test('a reload is no death, a soft stop is one', (t) =>
  scene(t, {}, async (s) => {
    field.haproxyReloaded(s.world, s.A);
    const held = await s.watch(3000);
    t.deepEqual(held, { darkMs: 0, doubleMs: 0, by: [s.A.name] });
    s.fault(field.haproxySoftStopped(s.A));
    t.true(await s.world.until(() => s.holder() === s.B.name, 100));
  }));

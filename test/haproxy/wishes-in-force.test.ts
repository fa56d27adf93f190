import test from 'ava';
import type { Intent } from '../../agent/core/model.ts';
import type { ServerRecord } from '../../agent/core/servers.ts';
import { wishesInForce } from '../../agent/haproxy/wishes-in-force.ts';
import { intent, wishes } from '../core/builders.ts';
import { NOW } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const KEY = 'server//WEB/web1';
const OTHER = 'server//WEB/web2';
const stamp = intent(KEY, '').stamp;

function inForceOf({ records = [] as readonly ServerRecord[], hold = false } = {}) {
  const clock = new FakeClock({ nowMs: 1000, wallMs: NOW });
  const told: string[] = [];
  const saved: ServerRecord[][] = [];
  const waiting: (() => void)[] = [];
  let changes = 0;
  const world = {
    intents: [] as Intent[],
    pid: 100 as number | null,
    trouble: '',
    saveTrouble: '',
  };
  const inForce = wishesInForce({
    instance: '',
    clock,
    records,
    intents: () => wishes(...world.intents),
    pid: () => world.pid,
    tell: async ({ backend, server, value }) => {
      told.push(`${backend}/${server} ${value}`);
      if (hold) await new Promise<void>((resolve) => waiting.push(resolve));
      if (world.trouble !== '') throw new Error(world.trouble);
    },
    save: (list) => {
      if (world.saveTrouble !== '') return Promise.reject(new Error(world.saveTrouble));
      saved.push([...list]);
      return Promise.resolve();
    },
    onChange: () => changes++,
  });
  const wake = async (): Promise<void> => {
    inForce.wake();
    await settled();
  };
  const release = async (): Promise<void> => {
    waiting.shift()?.();
    await settled();
  };
  return { inForce, clock, told, saved, world, wake, release, changes: () => changes };
}

const record = (change: Partial<ServerRecord> = {}): ServerRecord => ({
  key: KEY,
  stamp,
  state: 'drain',
  pid: 100,
  problem: '',
  ...change,
});

test('a new wish is told once, stored, and shown as in force', async (t) => {
  const { inForce, told, saved, world, wake } = inForceOf();
  world.intents = [intent(KEY, 'drain')];
  await wake();
  await wake();
  t.deepEqual(told, ['WEB/web1 drain']);
  t.deepEqual(saved, [[record()]]);
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
});

test('a new process is told everything again, the same one after a restart of the agent nothing', async (t) => {
  const { told, world, wake } = inForceOf({ records: [record()] });
  world.intents = [intent(KEY, 'drain')];
  await wake();
  t.deepEqual(told, []);
  world.pid = 200;
  await wake();
  t.deepEqual(told, ['WEB/web1 drain']);
});

test('no HAProxy to talk to: nothing is told, and everything once there is one', async (t) => {
  const { told, world, wake, clock } = inForceOf();
  world.intents = [intent(KEY, 'maint')];
  world.pid = null;
  await wake();
  await clock.advance(10_000);
  t.deepEqual(told, []);
  world.pid = 100;
  await wake();
  t.deepEqual(told, ['WEB/web1 maint']);
});

test('what failed is said, tried again every second, and cleared once it works', async (t) => {
  const { inForce, told, world, wake, clock } = inForceOf();
  world.intents = [intent(KEY, 'drain')];
  world.trouble = 'No such server.';
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: 'No such server.' }]);
  await clock.advance(999);
  t.is(told.length, 1);
  await clock.advance(2001);
  t.is(told.length, 4);
  world.trouble = '';
  await clock.advance(1000);
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
  await clock.advance(10_000);
  t.is(told.length, 5);
});

test('one that fails does not keep the others from being told', async (t) => {
  const { inForce, told, world, wake } = inForceOf();
  world.intents = [intent(OTHER, 'drain'), intent(KEY, 'maint')];
  world.trouble = 'no';
  await wake();
  t.deepEqual(told, ['WEB/web1 maint', 'WEB/web2 drain']);
  t.deepEqual(
    inForce.applied().map(({ key, problem }) => [key, problem]),
    [
      [KEY, 'no'],
      [OTHER, 'no'],
    ],
  );
});

test('one task at a time, and a wish that comes meanwhile is told afterwards', async (t) => {
  const { told, world, wake, release } = inForceOf({ hold: true });
  world.intents = [intent(KEY, 'drain')];
  await wake();
  world.intents = [intent(KEY, 'maint', { stamp: { ...stamp, count: 1 } })];
  await wake();
  t.deepEqual(told, ['WEB/web1 drain']);
  await release();
  t.deepEqual(told, ['WEB/web1 drain', 'WEB/web1 maint']);
});

test('a wish whose time is over: ready is told', async (t) => {
  const { told, world, wake } = inForceOf({ records: [record()] });
  world.intents = [intent(KEY, 'drain', { untilWallMs: NOW - 1 })];
  await wake();
  t.deepEqual(told, ['WEB/web1 ready']);
});

test('a disk that refuses neither ends the keeping of wishes nor makes it tell twice', async (t) => {
  const { inForce, told, world, wake } = inForceOf();
  world.intents = [intent(KEY, 'drain')];
  world.saveTrouble = 'ENOSPC';
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
  world.intents.push(intent(OTHER, 'drain'));
  await wake();
  t.deepEqual(told, ['WEB/web1 drain', 'WEB/web2 drain']);
});

test('closed while a task is under way: it is not tried again', async (t) => {
  const { inForce, clock, told, world, wake, release } = inForceOf({ hold: true });
  world.intents = [intent(KEY, 'drain')];
  world.trouble = 'no';
  await wake();
  inForce.close();
  await release();
  await clock.advance(10_000);
  await wake();
  t.deepEqual([told.length, clock.sleeping()], [1, []]);
});

test('a wish that ends by itself is over within a second although nobody says so', async (t) => {
  const { wake, told, world, clock } = inForceOf();
  world.intents = [intent(KEY, 'drain', { untilWallMs: NOW + 2500 })];
  await wake();
  await clock.advance(4000);
  t.deepEqual(told, ['WEB/web1 drain', 'WEB/web1 ready']);
});

import test from 'ava';
import type { Intent } from '../../agent/core/model.ts';
import { ActFailure } from '../../agent/core/results.ts';
import type { ServerRecord } from '../../agent/core/servers/servers.ts';
import { wishesInForce } from '../../agent/haproxy/wishes-in-force.ts';
import { intent, wishes } from '../core/builders.ts';
import { NOW } from '../reports.ts';
import { FakeClock, settled } from '../fake-clock.ts';

const KEY = 'server//WEB/web1';
const OTHER = 'server//WEB/web2';
const NO_SERVER = 'HAProxy has no server WEB/web1';
const stamp = intent(KEY, '').stamp;

function inForceOf({ records = [] as readonly ServerRecord[], hold = false } = {}) {
  const clock = new FakeClock({ nowMs: 1000, wallMs: NOW });
  const told: string[] = [];
  const saved: ServerRecord[][] = [];
  const lost: string[] = [];
  const waiting: (() => void)[] = [];
  let changes = 0;
  const world = {
    intents: [] as Intent[],
    pid: 100 as number | null,
    trouble: '',
    /** What HAProxy has no server of, and how the others are found. */
    gone: false,
    found: 'otherwise' as 'otherwise' | 'as-wished',
    saveTrouble: '',
    /** Keys that a new process has out of its state file; null: that cannot be read. */
    broughtBack: [] as readonly string[] | null,
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
      if (world.gone) throw new ActFailure('not-found', { code: 'x', message: NO_SERVER });
      if (world.trouble !== '') throw new Error(world.trouble);
    },
    broughtBack: () =>
      world.broughtBack === null
        ? Promise.reject(new Error('no reply'))
        : Promise.resolve(world.broughtBack),
    look({ backend, server }) {
      told.push(`${backend}/${server} ?`);
      return Promise.resolve(world.gone ? 'gone' : world.found);
    },
    save: (list) => {
      if (world.saveTrouble !== '') return Promise.reject(new Error(world.saveTrouble));
      saved.push([...list]);
      return Promise.resolve();
    },
    onChange: () => changes++,
    onLost: (key, server) => lost.push(`${key} ${server}`),
  });
  const wake = async (): Promise<void> => {
    inForce.wake();
    await settled();
  };
  const release = async (): Promise<void> => {
    waiting.shift()?.();
    await settled();
  };
  return { inForce, clock, told, saved, lost, world, wake, release, changes: () => changes };
}

const record = (change: Partial<ServerRecord> = {}): ServerRecord => ({
  key: KEY,
  stamp,
  state: 'drain',
  pid: 100,
  problem: '',
  ...change,
});

test('what a new process has out of its state file is told again, though it is no longer wished', async (t) => {
  const over = { ...intent(KEY, ''), deleted: true };
  const records = [record({ state: 'ready' })];
  const { told, world, wake } = inForceOf({ records });
  world.intents = [over];
  world.broughtBack = [KEY];
  await wake();
  t.deepEqual(told, [], 'of a process that runs already it may be by hand');
  world.pid = 101;
  await wake();
  await wake();
  t.deepEqual(told, ['WEB/web1 ready']);
  world.pid = 102;
  world.broughtBack = null;
  await wake();
  t.deepEqual(told, ['WEB/web1 ready'], 'not known');
  world.broughtBack = [KEY];
  await wake();
  t.deepEqual(told, ['WEB/web1 ready', 'WEB/web1 ready']);
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

test('what failed is said, tried again after ever longer, and cleared once it works', async (t) => {
  const { inForce, told, saved, world, wake, clock } = inForceOf();
  world.intents = [intent(KEY, 'drain')];
  world.trouble = 'no';
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: 'no' }]);
  await clock.advance(999);
  await wake();
  t.is(told.length, 1);
  // After 1, 3, 7, 12, 17 s: at most 5 s apart.
  await clock.advance(17_001);
  t.is(told.length, 6);
  // What is said again as before is no news to the disk.
  t.is(saved.length, 1);
  world.trouble = '';
  await clock.advance(5000);
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
  await clock.advance(10_000);
  t.deepEqual([told.length, saved.length], [7, 2]);
});

test('a wish whose server is gone: said and stored once, looked for less and less, and never told again', async (t) => {
  const { inForce, told, saved, lost, world, wake, clock, changes } = inForceOf({
    records: [record({ pid: 99 })],
  });
  world.intents = [intent(KEY, 'drain')];
  world.gone = true;
  await wake();
  const gone = { key: KEY, stamp, problem: NO_SERVER, server: 'gone' };
  t.deepEqual(inForce.applied(), [gone]);
  for (let second = 0; second < 3600; second++) {
    await clock.advance(1000);
    await wake();
  }
  const looks = told.splice(0);
  t.deepEqual([looks[0], ...new Set(looks.slice(1))], ['WEB/web1 drain', 'WEB/web1 ?']);
  t.true(looks.length < 70, String(looks.length));
  t.deepEqual([saved.length, lost, changes()], [1, [`${KEY} gone`], 1]);
  // The name is used again, and a reload makes another process of it: it is not drained.
  world.gone = false;
  world.pid = 200;
  await wake();
  t.deepEqual(told, ['WEB/web1 ?']);
  const problem = 'WEB/web1 was gone, is there again and was not told';
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem, server: 'back' }]);
  t.deepEqual(lost, [`${KEY} gone`, `${KEY} back`]);
  // Said again it is told.
  const again = { ...stamp, count: 1 };
  world.intents = [intent(KEY, 'drain', { stamp: again })];
  await wake();
  t.deepEqual(told, ['WEB/web1 ?', 'WEB/web1 drain']);
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp: again, problem: '' }]);
});

test('a server that was gone and is as wished all the same has its wish in force again', async (t) => {
  const { inForce, told, world, wake } = inForceOf({
    records: [record({ server: 'gone', problem: NO_SERVER })],
  });
  world.intents = [intent(KEY, 'drain')];
  world.found = 'as-wished';
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
  world.pid = 200;
  await wake();
  t.deepEqual(told, ['WEB/web1 ?', 'WEB/web1 drain']);
});

test('a wish that is taken back or over needs no server', async (t) => {
  const { inForce, told, world, wake } = inForceOf({
    records: [record({ server: 'gone', problem: NO_SERVER })],
  });
  world.gone = true;
  world.intents = [intent(KEY, 'drain', { untilWallMs: NOW - 1 })];
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp, problem: '' }]);
  const taken = { ...stamp, count: 1 };
  world.intents = [intent(KEY, '', { deleted: true, stamp: taken })];
  await wake();
  t.deepEqual(inForce.applied(), [{ key: KEY, stamp: taken, problem: '' }]);
  t.deepEqual(told, ['WEB/web1 ready', 'WEB/web1 ready']);
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

test('a server that is taken back while HAProxy hangs is told so once it answers, the same process or a new one', async (t) => {
  for (const pid of [100, 101]) {
    const { told, world, wake, clock, inForce } = inForceOf({ records: [record()] });
    world.intents = [intent(KEY, 'drain', { deleted: true, stamp: { ...stamp, count: 1 } })];
    world.trouble = 'no answer';
    await wake();
    world.pid = null;
    await wake();
    Object.assign(world, { pid, trouble: '' });
    await clock.advance(1000);
    await wake();
    t.deepEqual(
      [told, inForce.applied().map(({ problem }) => problem)],
      [['WEB/web1 ready', 'WEB/web1 ready'], ['']],
      `process ${pid}`,
    );
  }
});

import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { carpEvents } from '../../agent/carp/events.ts';
import type { CarpState } from '../../agent/core/model.ts';
import { problems as problemList } from '../../agent/problems.ts';
import { FakeClock } from '../fake-clock.ts';
import { devdPipe } from '../kernel/devd.ts';
import { eventually } from '../record.ts';

const DEAF =
  'devd.pipe is connected and tells nothing: CARP was found changed, and no event of it came';
const line = (state: CarpState): string => `!system=CARP subsystem=1@em0 type=${state}`;

/** carpEvents on a real pipe, a vhid that a test sets, and a reading of it when the test says so. */
async function world(t: ExecutionContext, { others = 0 } = {}) {
  const folder = mkdtempSync('/tmp/pa-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'devd.pipe');
  const pipe = devdPipe(path);
  await pipe.start();
  t.teardown(() => pipe.stop());
  const holders: Socket[] = [];
  for (let count = 0; count < others; count++) holders.push(await client(t, path));
  const clock = new FakeClock();
  const problems = problemList(clock, () => undefined);
  let changes = 0;
  const events = carpEvents({ path, clock, problems, changed: () => changes++ });
  t.teardown(() => events.close());
  let state: CarpState = 'BACKUP';
  const read = events.compared(() =>
    Promise.resolve({ addresses: [{ interface: 'em0', vhid: 1, state }] }),
  );
  return {
    path,
    pipe,
    holders,
    clock,
    events,
    read,
    becomes: (now: CarpState) => (state = now),
    changes: () => changes,
    connected: () => eventually(() => changes > 0),
    causes: () => problems.list().map(({ subject, cause }) => `${subject}: ${cause}`),
  };
}

/** One more program at the pipe, connected. */
async function client(t: ExecutionContext, path: string): Promise<Socket> {
  const socket = connect(path);
  socket.resume();
  t.teardown(() => socket.destroy());
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

test('polling until devd has told anything at all, a login as well; then events', async (t) => {
  const { pipe, events, connected, changes, causes } = await world(t);
  await connected();
  t.deepEqual([events.state(), causes()], ['polling', []]);
  const before = changes();
  pipe.tell('!system=DEVFS subsystem=CDEV type=CREATE cdev=pts/0');
  await eventually(() => events.state() === 'events');
  t.is(changes() - before, 1, 'CARP is read once more: what was not heard may have happened');
  t.deepEqual(causes(), []);
});

test('the eleventh client hears nothing: a change found by reading says so, room and a line end it', async (t) => {
  const { pipe, clock, events, read, becomes, connected, causes, holders } = await world(t, {
    others: 10,
  });
  await connected();
  await read();
  becomes('MASTER');
  pipe.tell(line('MASTER'));
  await clock.advance(1000);
  await read();
  t.deepEqual(causes(), [], 'its line may be under way');
  await clock.advance(1000);
  await read();
  t.deepEqual([events.state(), causes()], ['polling', [`devd: ${DEAF}`]]);
  holders[0]?.destroy();
  await eventually(() => {
    pipe.tell(line('BACKUP'));
    return events.state() === 'events';
  });
  t.deepEqual(causes(), []);
});

test('the twelfth client is refused, and says so', async (t) => {
  const { causes, path, events } = await world(t, { others: 11 });
  await eventually(() => causes().length > 0);
  t.deepEqual([events.state(), causes()], ['polling', [`devd: connect ECONNREFUSED ${path}`]]);
});

test('a change that is told, before its reading or shortly after it, is none of deafness', async (t) => {
  const { pipe, clock, events, read, becomes, connected, changes, causes } = await world(t);
  await connected();
  await read();
  await clock.advance(1000);
  const before = changes();
  pipe.tell(line('MASTER'));
  await eventually(() => changes() > before);
  becomes('MASTER');
  await clock.advance(1000);
  await read();
  await clock.advance(5000);
  await read();
  t.deepEqual([events.state(), causes()], ['events', []]);
  becomes('BACKUP');
  await read();
  const then = changes();
  pipe.tell(line('BACKUP'));
  await eventually(() => changes() > then);
  await clock.advance(5000);
  await read();
  t.deepEqual([events.state(), causes()], ['events', []]);
});

test('one that told before and tells no more is found deaf as well', async (t) => {
  const { pipe, clock, events, read, becomes, causes } = await world(t);
  await eventually(() => {
    pipe.tell(line('BACKUP'));
    return events.state() === 'events';
  });
  await clock.advance(1);
  for (const state of ['BACKUP', 'MASTER', 'MASTER'] as const) {
    becomes(state);
    await read();
    await clock.advance(3000);
  }
  t.deepEqual([events.state(), causes()], ['polling', [`devd: ${DEAF}`]]);
});

test('devd restarted: polling at once, what happened meanwhile is no deafness, events at its first word', async (t) => {
  const { path, pipe, clock, events, read, becomes, changes, causes } = await world(t);
  await eventually(() => {
    pipe.tell(line('BACKUP'));
    return events.state() === 'events';
  });
  await read();
  const before = changes();
  pipe.stop();
  await eventually(() => events.state() === 'polling');
  t.true(changes() > before, 'CARP is read at once');
  await eventually(() => clock.sleeping().length === 1);
  await clock.advance(100);
  await eventually(() => causes().includes(`devd: connect ECONNREFUSED ${path}`));
  becomes('MASTER');
  await read();
  await pipe.start();
  const then = changes();
  await clock.advance(200);
  await eventually(() => changes() > then);
  for (let seconds = 0; seconds < 3; seconds++) {
    await read();
    await clock.advance(1000);
  }
  t.deepEqual([events.state(), causes()], ['polling', []]);
  await eventually(() => {
    pipe.tell(line('BACKUP'));
    return events.state() === 'events';
  });
});

test('a vhid that came or went is no change of state, and needs no line', async (t) => {
  const { clock, events, connected, causes } = await world(t);
  await connected();
  let addresses: { interface: string; vhid: number; state: CarpState }[] = [];
  const read = events.compared(() => Promise.resolve({ addresses }));
  for (const vhids of [[], [1], [1, 2], [2], []]) {
    addresses = vhids.map((vhid) => ({ interface: 'em0', vhid, state: 'INIT' }));
    await read();
    await clock.advance(3000);
  }
  await read();
  t.deepEqual(causes(), []);
});

test('without devd it polls, and that is no problem', async (t) => {
  const clock = new FakeClock();
  const problems = problemList(clock, () => undefined);
  const events = carpEvents({ path: '', clock, problems, changed: () => undefined });
  const reading = { addresses: [] };
  t.is(await events.compared(() => Promise.resolve(reading))(), reading);
  t.deepEqual([events.state(), problems.list(), clock.sleeping()], ['polling', [], []]);
});

import type { Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Intent } from '../../agent/core/model.ts';
import { lookAtServer, readServerLines, setServer } from '../../agent/haproxy/servers.ts';
import { runtime, type Runtime } from '../../agent/haproxy/runtime.ts';
import { serverDrift } from '../../agent/haproxy/server-drift.ts';
import { wishesInForce } from '../../agent/haproxy/wishes-in-force.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import type { AdminState } from '../../agent/core/acts.ts';
import { intent, wishes } from '../core/builders.ts';
import { FakeClock, settled } from '../fake-clock.ts';
import { fixture } from '../fixture.ts';
import { startHaproxy } from './haproxy.ts';
import { scriptedSocket } from './scripted.ts';
import { createRecord, eventually } from '../record.ts';

const KEY = 'server//app/s3';
const CAPTURED = fixture('haproxy-2.6.12/show-servers-state.txt');

/** Wishes kept in force and the eye on them, on one socket, on a clock that tests move. */
function watchOf(
  t: ExecutionContext,
  ask: Runtime,
  { intents = [] as Intent[], restore = false } = {},
) {
  const clock = new FakeClock({ wallMs: systemClock.wallMs() });
  const told = createRecord<string>();
  const inForce = wishesInForce({
    instance: '',
    clock,
    records: [],
    intents: () => wishes(...intents),
    pid: () => 100,
    tell: ({ backend, server, value }) => setServer(ask, backend, server, value as AdminState),
    broughtBack: () => Promise.resolve([]),
    look: (task) => lookAtServer(ask, task),
    save: () => Promise.resolve(),
    onChange: () => undefined,
    onLost: (key, server) => told.add(`${key} ${server}`),
  });
  const drift = serverDrift({
    instance: '',
    clock,
    inForce,
    intents: () => wishes(...intents),
    pid: () => 100,
    read: () => readServerLines(ask, null),
    restore,
    onChange: (found, restored) =>
      told.add(
        found.map(({ server, is, should }) => `${server} ${is} -> ${should}`).join(', ') +
          (restored ? ' restored' : ''),
      ),
  });
  t.teardown(() => {
    drift.close();
    inForce.close();
  });
  /** Time passes until the look that comes next has ended as `holds` says. */
  const until = (holds: () => boolean | Promise<boolean>): Promise<void> =>
    eventually(async () => {
      await clock.advance(6000);
      return holds();
    });
  return { inForce, drift, told, clock, until };
}

const state = async (ask: Runtime, server: string): Promise<number | undefined> =>
  (await readServerLines(ask, 'app')).find((line) => line.server === server)?.bits;

test('a state changed past the agent is reported, and left as it is', async (t) => {
  const { ask } = await startHaproxy(t);
  const { inForce, drift, told, until } = watchOf(t, ask, { intents: [intent(KEY, 'drain')] });
  inForce.wake();
  await eventually(async () => (await state(ask, 's3')) === 8);
  await until(() => inForce.turn() === 1);
  await ask('set server app/s3 state maint');
  await ask('set server app/s1 state drain');
  await until(() => told.items.length > 0);
  t.deepEqual(told.items, ['s1 drain -> ready, s3 maint -> drain']);
  t.is(drift.report().drifted, 2);
  t.is(await state(ask, 's3'), 1);
  await ask('set server app/s3 state drain');
  await ask('set server app/s1 state ready');
  await until(() => drift.report().drifted === 0);
  t.is(told.items.at(-1), '');
});

test('with restore what an intent names is put back, and nothing else', async (t) => {
  const { ask } = await startHaproxy(t);
  const intents = [intent(KEY, 'drain')];
  const { inForce, told, until } = watchOf(t, ask, { intents, restore: true });
  inForce.wake();
  await eventually(async () => (await state(ask, 's3')) === 8);
  await ask('set server app/s3 state ready');
  await ask('set server app/s1 state drain');
  await until(async () => (await state(ask, 's3')) === 8);
  t.is(told.items[0], 's1 drain -> ready, s3 ready -> drain restored');
  t.is(await state(ask, 's1'), 8);
});

const TROUBLES: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
  ['silent', () => undefined, /no reply at .* within 100 ms/],
  ['too slow', (socket) => void socket.write('1\n# be_id'), /no reply at .* within 100 ms/],
  ['cut short', (socket) => void socket.end(CAPTURED.slice(0, 300)), /ended after 300 bytes/],
  ['gone at once', (socket) => void socket.end(), /an empty reply/],
  ['garbage', (socket) => void socket.end('\u0007\u0000what?\n\n'), /what is not understood/],
  ['half a line', (socket) => void socket.end('1\n# be_id\n4 WEB\n\n'), /what is not understood/],
];

for (const [name, script, cause] of TROUBLES)
  test(`a HAProxy that is ${name} leaves the picture as it was, with the cause, until it answers`, async (t) => {
    let well = true;
    const { path } = await scriptedSocket(t, (_request, socket) => {
      if (well) socket.end(CAPTURED);
      else script(socket);
    });
    const { drift, until } = watchOf(t, runtime(path, { deadlineMs: 100 }));
    const known = { drifted: 2, problem: '' };
    await until(() => drift.report().drifted > 0);
    t.like(drift.report(), known);
    well = false;
    await until(() => drift.report().problem !== '');
    t.regex(drift.report().problem, cause);
    t.is(drift.report().drifted, 2);
    well = true;
    await until(() => drift.report().problem === '');
    t.like(drift.report(), known);
    await settled();
  });

test('it looks less often while nothing changes', async (t) => {
  let looks = 0;
  const { path } = await scriptedSocket(t, (_request, socket) => {
    looks++;
    socket.end(CAPTURED);
  });
  const { clock, drift } = watchOf(t, runtime(path, { deadlineMs: 5000 }));
  const next = async (): Promise<number> => {
    const before = looks;
    await eventually(() => clock.sleeping().length > 0);
    const [ms = 0] = clock.sleeping();
    await clock.advance(ms);
    await eventually(() => looks > before);
    await eventually(() => clock.sleeping().length > 0);
    return Math.round(ms);
  };
  const pauses: number[] = [];
  for (let look = 0; look < 7; look++) pauses.push(await next());
  t.deepEqual(pauses, [1000, 1000, 1500, 2250, 3375, 5000, 5000]);
  drift.close();
});

test('a HAProxy that did not answer is asked again within a second, however long it took', async (t) => {
  const clock = new FakeClock();
  let answers = false;
  const drift = serverDrift({
    instance: '',
    clock,
    inForce: { records: () => new Map(), turn: () => 1, again: () => undefined },
    intents: () => new Map(),
    pid: () => 100,
    async read() {
      if (answers) return [];
      await new Promise<void>((resolve) => void clock.after(2000, resolve));
      throw new Error('no reply within 2000 ms');
    },
    restore: false,
    onChange: () => undefined,
  });
  await clock.advance(3000);
  t.is(drift.report().problem, 'no reply within 2000 ms');
  answers = true;
  await clock.advance(1000);
  t.is(drift.report().problem, '');
  drift.close();
});

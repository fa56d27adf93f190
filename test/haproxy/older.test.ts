import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { readInfo } from '../../agent/haproxy/info.ts';
import { olderProcesses } from '../../agent/haproxy/older.ts';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { cliSession, type CliSession } from '../../agent/haproxy/session.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';
import { testClock } from '../rpc/world.ts';
import { holdOpen, startHaproxy, type TestHaproxy } from './haproxy.ts';
import { interactive, scriptedSocket } from './scripted.ts';

/** The held connections of a HAProxy, as its watch hands them over. */
function held(t: ExecutionContext, path: string, clock = testClock, exists?: () => boolean) {
  const older = olderProcesses(clock, exists);
  t.teardown(() => older.close());
  let gone = 0;
  const session: CliSession = cliSession(path, 5000, () => older.ended(session));
  t.teardown(() => session.close());
  return {
    older,
    session,
    add: (pid: number): void => older.add(pid, session, () => gone++),
    gone: () => gone,
    pids: () => older.list().map(({ pid }) => pid),
  };
}

const pidOf = ({ child }: TestHaproxy): number => child().pid ?? 0;

test('a session asks one process one command after the other, and changes say how they ended', async (t) => {
  const haproxy = await startHaproxy(t);
  const { session } = held(t, haproxy.socketPath);
  const [info, version, refused, done, peers] = await Promise.all([
    readInfo(session.ask),
    session.ask('show version'),
    session.ask('set server app/nope state drain').catch((error: unknown) => error),
    session.ask('set server app/s3 state drain'),
    session.ask('show peers'),
  ]);
  const unknown: unknown = await session.ask('bogus').catch((error: unknown) => error);
  const failures = [refused, unknown].map((error) =>
    error instanceof RuntimeError ? error.failure.kind : error,
  );
  t.deepEqual(
    [info.pid, version.startsWith(info.version), failures, done, peers],
    [pidOf(haproxy), true, ['rejected', 'rejected'], '', '\n'],
  );
  t.regex(await haproxy.ask('show servers state app'), / s3 127\.0\.0\.1 \d 8 /);
});

test('a replaced process that serves a session is listed, asked, and left once that has ended', async (t) => {
  const haproxy = await startHaproxy(t);
  const old = haproxy.child();
  const oldPid = pidOf(haproxy);
  const { older, add, pids, gone } = held(t, haproxy.socketPath);
  const client = await holdOpen(t, haproxy);
  await haproxy.start(['-sf', String(oldPid)]);
  add(oldPid);
  const [process] = older.list();
  const { pid, sessions, stopping } = await readInfo(process?.ask ?? haproxy.ask);
  t.deepEqual([pids(), pid, sessions, stopping], [[oldPid], oldPid, 1, true]);
  const ended = once(old, 'exit');
  client.destroy();
  await ended;
  await eventually(() => gone() === 1);
  t.deepEqual(pids(), []);
});

test('a process that stops without a session ends, though its connection was held', async (t) => {
  const haproxy = await startHaproxy(t);
  const ended = once(haproxy.child(), 'exit');
  const { session, add, gone } = held(t, haproxy.socketPath, new FakeClock());
  await session.ask('show version');
  haproxy.child().kill('SIGUSR1');
  add(pidOf(haproxy));
  // The clock stands: one question was enough.
  await ended;
  t.is(gone(), 1);
});

test('a process that stops ends one question after its last session, though its connection was held', async (t) => {
  const haproxy = await startHaproxy(t);
  const clock = new FakeClock();
  const { session, add, gone, pids } = held(t, haproxy.socketPath, clock);
  const sessions = async (): Promise<number> => (await readInfo(session.ask)).sessions;
  const client = await holdOpen(t, haproxy);
  await eventually(async () => (await sessions()) === 1);
  const ended = once(haproxy.child(), 'exit');
  haproxy.child().kill('SIGUSR1');
  add(pidOf(haproxy));
  await eventually(() => clock.sleeping().includes(50));
  client.destroy();
  await eventually(async () => (await sessions()) === 0);
  t.deepEqual([haproxy.child().exitCode, pids()], [null, [pidOf(haproxy)]]);
  await clock.advance(50);
  await ended;
  t.deepEqual([gone(), pids()], [1, []]);
});

test('one that lives and does not answer any more is there and cannot be asked', async (t) => {
  const info = 'Version: 2.6.12\nPid: 7\nUptime_sec: 5\nCurrConns: 3\nStopping: 1\n\n';
  const { path, sockets } = await scriptedSocket(
    t,
    interactive(() => info),
  );
  const clock = new FakeClock();
  let lives = true;
  const { older, add, pids, gone } = held(t, path, clock, () => lives);
  add(7);
  await eventually(() => clock.sleeping().includes(50));
  t.deepEqual(pids(), [7]);
  for (const socket of sockets) socket.destroy();
  await eventually(() => older.list().some(({ ask }) => ask === null));
  t.deepEqual([older.list(), clock.sleeping()], [[{ pid: 7, ask: null }], [1000]]);
  lives = false;
  await clock.advance(1000);
  t.deepEqual([pids(), gone(), clock.sleeping()], [[], 1, []]);
});

test('closed: no connection and no look stays behind', async (t) => {
  const haproxy = await startHaproxy(t);
  const clock = new FakeClock();
  const { older, add, pids, gone } = held(t, haproxy.socketPath, clock);
  await holdOpen(t, haproxy);
  await eventually(async () => (await readInfo(haproxy.ask)).sessions > 0);
  add(pidOf(haproxy));
  await eventually(() => clock.sleeping().includes(50));
  older.close();
  t.deepEqual([pids(), gone(), clock.sleeping()], [[], 0, []]);
});

import { once } from 'node:events';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { readInfo } from '../../agent/haproxy/info.ts';
import { watchHaproxy, type Liveness } from '../../agent/haproxy/watch.ts';
import type { Clock } from '../../agent/sys/clock.ts';
import { FakeClock } from '../fake-clock.ts';
import { createRecord, eventually } from '../record.ts';
import { testClock } from '../rpc/world.ts';
import { holdOpen, shortFolder, startHaproxy } from './haproxy.ts';
import { scriptedSocket } from './scripted.ts';

const INFO = (pid: number) =>
  `Name: HAProxy\nVersion: 2.6.12\nPid: ${pid}\nUptime_sec: 5\nCurrConns: 0\n\n`;

function watch(
  t: ExecutionContext,
  socketPath: string,
  { clock = new FakeClock(), hungAfterMs = 5000 }: { clock?: Clock; hungAfterMs?: number } = {},
) {
  const said = createRecord<Liveness>();
  const stop = watchHaproxy({ socketPath, clock, hungAfterMs, onChange: (one) => said.add(one) });
  t.teardown(stop);
  return { said, stop };
}

const up =
  (pid?: number) =>
  (one: Liveness): boolean =>
    one.kind === 'up' && (pid === undefined || one.pid === pid);
const kinds = (items: readonly Liveness[]): string[] => items.map(({ kind }) => kind);

/** Lets time pass in small steps until something holds. */
const passing = (clock: FakeClock, holds: () => boolean): Promise<void> =>
  eventually(async () => {
    await clock.advance(20);
    return holds();
  });

// Where the fake clock stands still, no poll and no retry can have told what was told.

test('a running HAProxy is up, with its process and version', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.socketPath);
  const seen = await said.until(up());
  const { version } = await readInfo(haproxy.ask);
  t.deepEqual(seen, { kind: 'up', pid: haproxy.child().pid, version } as Liveness);
});

test('killed: told at once by the held connection, no clock needed', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.socketPath);
  await said.until(up());
  haproxy.child().kill('SIGKILL');
  t.deepEqual(await said.until(({ kind }) => kind === 'down'), {
    kind: 'down',
    cause: `nobody listens at ${haproxy.socketPath} (ECONNREFUSED)`,
  });
  t.deepEqual(kinds(said.items), ['up', 'down']);
});

test('started again after a death: told soon after it listens', async (t) => {
  const haproxy = await startHaproxy(t);
  const clock = new FakeClock();
  const { said } = watch(t, haproxy.socketPath, { clock });
  await said.until(up());
  haproxy.child().kill('SIGKILL');
  await said.until(({ kind }) => kind === 'down');
  const next = await haproxy.start();
  await passing(clock, () => said.items.some(up(next.pid)));
  t.deepEqual(kinds(said.items), ['up', 'down', 'up']);
});

test('a reload: the new process is told while the old one still runs and holds our connection', async (t) => {
  const haproxy = await startHaproxy(t);
  const old = haproxy.child();
  const clock = new FakeClock();
  const { said } = watch(t, haproxy.socketPath, { clock });
  await said.until(up(old.pid));
  // A client of the old process keeps it alive.
  const client = await holdOpen(t, haproxy);
  const next = await haproxy.start(['-sf', String(old.pid)]);
  await passing(clock, () => said.items.some(up(next.pid)));
  t.is(old.exitCode, null);
  const ended = once(old, 'exit');
  client.destroy();
  await ended;
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a new socket on which nobody listens yet is no death while the old process holds', async (t) => {
  const clock = new FakeClock();
  const { path } = await scriptedSocket(t, (_request, socket) => {
    socket.end(INFO(7));
  });
  const { said } = watch(t, path, { clock });
  await said.until(up(7));
  // As a starting HAProxy does: bound under another name, renamed, and only then listening.
  writeFileSync(`${path}.tmp`, '');
  renameSync(`${path}.tmp`, path);
  await eventually(() => clock.sleeping().includes(20));
  for (const pause of [20, 40, 80, 160, 320]) {
    await clock.advance(pause);
    await eventually(() => clock.sleeping().some((ms) => ms === pause * 2));
  }
  t.deepEqual(kinds(said.items), ['up']);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(INFO(8)));
  });
  t.teardown(() => void server.close());
  rmSync(path);
  server.listen(path);
  await once(server, 'listening');
  await passing(clock, () => said.items.some(up(8)));
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a new socket on which nobody comes to listen is a death after a good second', async (t) => {
  const clock = new FakeClock();
  const { path } = await scriptedSocket(t, (_request, socket) => {
    socket.end(INFO(7));
  });
  const { said } = watch(t, path, { clock });
  await said.until(up(7));
  writeFileSync(`${path}.tmp`, '');
  renameSync(`${path}.tmp`, path);
  await passing(clock, () => said.items.some(({ kind }) => kind === 'down'));
  t.true(clock.nowMs() >= 1000 && clock.nowMs() < 5000);
});

test('a process that is stopped is hung after two misses, and up once it goes on', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.socketPath, { clock: testClock, hungAfterMs: 800 });
  await said.until(up());
  haproxy.child().kill('SIGSTOP');
  t.teardown(() => haproxy.child().kill('SIGCONT'));
  const hung = await said.until(({ kind }) => kind === 'hung');
  t.deepEqual(hung, {
    kind: 'hung',
    cause: `show info: no reply at ${haproxy.socketPath} within 800 ms`,
  });
  const before = said.items.length;
  haproxy.child().kill('SIGCONT');
  await eventually(() => said.items.slice(before).some(up(haproxy.child().pid)));
  t.deepEqual(kinds(said.items), ['up', 'hung', 'up']);
});

test('one slow answer is a miss and nothing more', async (t) => {
  let mute = false;
  const clock = new FakeClock();
  const { path, requests } = await scriptedSocket(t, (_request, socket) => {
    if (!mute) socket.end(INFO(7));
  });
  const { said } = watch(t, path, { clock, hungAfterMs: 1000 });
  await said.until(up(7));
  await eventually(() => clock.sleeping().length === 1);
  mute = true;
  await clock.advance(1000);
  // The miss has been counted once the next ping is planned.
  await eventually(() => clock.sleeping().length === 1);
  mute = false;
  await clock.advance(1);
  await eventually(() => clock.sleeping().length === 1);
  t.is(requests.items.length, 3);
  t.deepEqual(kinds(said.items), ['up']);
});

test('an idle connection that HAProxy closes by itself is no death', async (t) => {
  const haproxy = await startHaproxy(t, { statsTimeout: '400ms' });
  const { said } = watch(t, haproxy.socketPath);
  await said.until(up());
  const connections = async (): Promise<number> =>
    Number(/^CumConns: (\d+)$/m.exec(await haproxy.ask('show info'))?.[1]);
  const before = await connections();
  let asked = 0;
  // Each idle close makes the watch connect twice: to hold, and to ask.
  await eventually(async () => (await connections()) - before - ++asked >= 8);
  t.deepEqual(kinds(said.items), ['up']);
});

test('a socket that answers what no HAProxy answers is hung, with what it said', async (t) => {
  const { path } = await scriptedSocket(t, (_request, socket) => {
    socket.end('SSH-2.0-OpenSSH_9.6\r\n\n\n');
  });
  const { said } = watch(t, path);
  const hung = await said.until(({ kind }) => kind === 'hung');
  t.regex(
    hung.kind === 'hung' ? hung.cause : '',
    /^it does not speak HAProxy: show info: .*SSH-2\.0-OpenSSH_9\.6/,
  );
});

test('a socket that closes on everybody is hung, and not tried in a loop', async (t) => {
  const clock = new FakeClock();
  let accepted = 0;
  const { path, server } = await scriptedSocket(t, () => undefined);
  server.on('connection', (socket) => {
    accepted++;
    socket.end();
  });
  const { said } = watch(t, path, { clock });
  await eventually(() => clock.sleeping().length === 2);
  t.true(accepted < 10);
  // Ten seconds: one ping a second, and the held connection with growing pauses.
  for (let second = 0; second < 10; second++) {
    await clock.advance(1000);
    await eventually(() => clock.sleeping().length === 2);
  }
  await said.until(({ kind }) => kind === 'hung');
  t.true(accepted < 50);
});

test('no socket yet: down, tried with growing pauses up to a second, and up when it comes', async (t) => {
  const path = join(shortFolder(t), 'no', 'h.sock');
  const clock = new FakeClock();
  const { said } = watch(t, path, { clock });
  await said.until(({ kind }) => kind === 'down');
  const pauses: number[] = [];
  for (let tries = 0; tries < 8; tries++) {
    await eventually(() => clock.sleeping().length === 1);
    const [pause = 0] = clock.sleeping();
    pauses.push(pause);
    await clock.advance(pause);
  }
  t.deepEqual(pauses, [20, 40, 80, 160, 320, 640, 1000, 1000]);
  t.deepEqual(said.items, [{ kind: 'down', cause: `nobody listens at ${path} (ENOENT)` }]);
});

test('a file that is no socket is down', async (t) => {
  const path = join(shortFolder(t), 'h.sock');
  writeFileSync(path, '');
  const { said } = watch(t, path);
  t.deepEqual(await said.until(() => true), {
    kind: 'down',
    cause: `nobody listens at ${path} (ECONNREFUSED)`,
  });
});

test('once stopped nothing is told, and no connection stays', async (t) => {
  const { path, sockets } = await scriptedSocket(t, (_request, socket) => {
    socket.end(INFO(7));
  });
  const { said, stop } = watch(t, path);
  await said.until(up(7));
  stop();
  await eventually(() => sockets.size === 0);
  rmSync(path, { force: true });
  t.false(existsSync(path));
  t.deepEqual(kinds(said.items), ['up']);
});

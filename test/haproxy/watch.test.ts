import { once } from 'node:events';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { readInfo } from '../../agent/haproxy/info.ts';
import type { ListenerAnswer } from '../../agent/haproxy/listener.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import { servingProcess } from '../../agent/haproxy/process-table.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';
import { testClock } from '../rpc/world.ts';
import { holdOpen, shortFolder, startHaproxy } from './haproxy.ts';
import { interactive, scriptedSocket } from './scripted.ts';
import { ANSWERS, NONE, kinds, up, watch } from './watching.ts';

const INFO = (pid: number, stopping = 0) =>
  `Name: HAProxy\nVersion: 2.6.12\nPid: ${pid}\nUptime_sec: 5\nCurrConns: 0\nStopping: ${stopping}\n\n`;

/** A HAProxy of level admin that is up; `mute` makes it silent. */
const speaking = (pid: number, mute = (): boolean => false) =>
  interactive((command) => {
    if (mute()) return null;
    return command === 'show cli level' ? 'admin\n\n' : INFO(pid);
  });

/** Puts a socket on which nobody listens in the place of `path`. */
async function deadSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.1`);
  await once(server, 'listening');
  // The end of a server takes away the name it was made with.
  renameSync(`${path}.1`, `${path}.2`);
  server.close();
  await once(server, 'close');
  renameSync(`${path}.2`, path);
}

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
  let ended = false;
  old.once('exit', () => (ended = true));
  client.destroy();
  await passing(clock, () => ended);
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a new socket on which nobody listens yet is no death while the old process holds', async (t) => {
  const clock = new FakeClock();
  const { path } = await scriptedSocket(t, speaking(7));
  const { said } = watch(t, path, { clock });
  await said.until(up(7));
  // As a starting HAProxy does: bound under another name, renamed, and only then listening.
  await deadSocket(path);
  const untilMs = clock.nowMs() + 600;
  await passing(clock, () => clock.nowMs() >= untilMs);
  t.deepEqual(kinds(said.items), ['up']);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const say = speaking(8);
    socket.on('data', (chunk) => say(chunk.toString(), socket));
  });
  t.teardown(() => void server.close());
  rmSync(path);
  server.listen(path);
  await once(server, 'listening');
  await passing(clock, () => said.items.some(up(8)));
  t.deepEqual(kinds(said.items), ['up', 'up']);
});

test('a new socket on which nobody comes to listen is told after a good second', async (t) => {
  const left = async (answer: ListenerAnswer): Promise<Liveness> => {
    const clock = new FakeClock();
    const { path } = await scriptedSocket(t, speaking(7));
    const { said } = watch(t, path, { clock, answer: () => answer });
    await said.until(up(7));
    const fromMs = clock.nowMs();
    await deadSocket(path);
    await passing(clock, () => said.items.length > 1);
    const tookMs = clock.nowMs() - fromMs;
    t.true(tookMs >= 1000 && tookMs < 5000, `${tookMs} ms`);
    return said.items[1] ?? { kind: 'down', cause: 'nothing' };
  };
  // The process that is held answers and does not stop: its clients are served.
  t.is((await left(ANSWERS)).kind, 'unknown');
  t.is((await left(NONE)).kind, 'unknown');
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
  let unanswered = 0;
  const clock = new FakeClock();
  const { path, requests } = await scriptedSocket(
    t,
    speaking(7, () => unanswered-- > 0),
  );
  const { said } = watch(t, path, { clock, hungAfterMs: 2500 });
  await passing(clock, () => said.items.some(up(7)));
  await passing(clock, () => clock.sleeping().includes(50));
  // What is asked over the connection that is held, and on a new one.
  unanswered = 2;
  const before = requests.items.length;
  await passing(clock, () => requests.items.length > before + 4);
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
  // Each idle close makes the watch connect twice: to ask, and to hold.
  await eventually(async () => (await connections()) - before - ++asked >= 4);
  t.deepEqual(kinds(said.items), ['up']);
});

test('a socket that belongs to something else is not known, unless nobody listens besides', async (t) => {
  const { path } = await scriptedSocket(t, (_request, socket) => {
    socket.end('SSH-2.0-OpenSSH_9.6\r\n\n\n');
  });
  const saidOf = async (answer: ListenerAnswer): Promise<Liveness> =>
    watch(t, path, { answer: () => answer }).said.until(() => true);
  const unknown = await saidOf(NONE);
  t.regex(
    unknown.kind === 'unknown' ? unknown.cause : '',
    /^it does not speak HAProxy: show info: .*SSH-2\.0-OpenSSH_9\.6/,
  );
  t.is((await saidOf({ kind: 'refused', at: '127.0.0.1:80' })).kind, 'down');
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
  await passing(clock, () => clock.nowMs() >= 3000);
  t.deepEqual(kinds(said.items), ['hung']);
  t.true(accepted < 15, `${accepted}`);
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

test('a socket that somebody removed, and no listener to ask: not known while the process is there', async (t) => {
  const haproxy = await startHaproxy(t);
  const config = join(haproxy.folder, 'haproxy.conf');
  rmSync(haproxy.socketPath);
  const clock = new FakeClock();
  const { said } = watch(t, haproxy.socketPath, {
    clock,
    process: () => servingProcess(config, () => Promise.resolve('')),
  });
  const nobody = `nobody listens at ${haproxy.socketPath} (ENOENT)`;
  t.like(await said.until(() => true), {
    kind: 'unknown',
    cause: `${nobody}; process ${haproxy.child().pid} of HAProxy is there`,
  });
  haproxy.child().kill('SIGKILL');
  await once(haproxy.child(), 'exit');
  await eventually(async () => {
    await clock.advance(1000);
    return said.items.at(-1)?.kind === 'down';
  });
  t.deepEqual(kinds(said.items), ['unknown', 'down']);
});

test('a file that is no socket says nothing of HAProxy', async (t) => {
  const path = join(shortFolder(t), 'h.sock');
  writeFileSync(path, '');
  const { said } = watch(t, path);
  const { kind, cause } = (await said.until(() => true)) as Liveness & { cause: string };
  t.deepEqual([kind, cause], ['unknown', `${path} is no socket`]);
});

test('once stopped nothing is told, and no connection stays', async (t) => {
  const { path, sockets } = await scriptedSocket(t, speaking(7));
  const { said, stop } = watch(t, path);
  await said.until(up(7));
  stop();
  await eventually(() => sockets.size === 0);
  rmSync(path, { force: true });
  t.false(existsSync(path));
  t.deepEqual(kinds(said.items), ['up']);
});

test('a soft stop without sessions: told at once, and HAProxy ends as soon as without the watch', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.socketPath, { clock: testClock });
  await said.until(up());
  const ended = once(haproxy.child(), 'exit');
  const sinceMs = performance.now();
  haproxy.child().kill('SIGUSR1');
  await said.until(({ kind }) => kind === 'stopping' || kind === 'down');
  const toldMs = performance.now() - sinceMs;
  await ended;
  t.log(`told after ${toldMs.toFixed(0)} ms, ended ${(performance.now() - sinceMs).toFixed(0)} ms`);
  await said.until(({ kind }) => kind === 'down');
  // Without a session there is nothing to stop for long.
  t.deepEqual(
    kinds(said.items).filter((kind) => kind !== 'stopping'),
    ['up', 'down'],
  );
});

test('a soft stop with a session: stopping until that has ended, then down', async (t) => {
  const haproxy = await startHaproxy(t);
  const pid = haproxy.child().pid ?? 0;
  const { said, older } = watch(t, haproxy.socketPath, { clock: testClock });
  await said.until(up());
  const client = await holdOpen(t, haproxy);
  await eventually(async () => /^CurrConns: [1-9]/m.test(await haproxy.ask('show info')));
  haproxy.child().kill('SIGUSR1');
  t.deepEqual(await said.until(({ kind }) => kind === 'stopping'), {
    kind: 'stopping',
    pid,
    cause: 'it accepts no new connections and ends with the sessions it has',
  });
  t.deepEqual(
    older.list().map((one) => one.pid),
    [pid],
  );
  const ended = once(haproxy.child(), 'exit');
  client.destroy();
  await ended;
  await said.until(({ kind }) => kind === 'down');
  t.deepEqual([kinds(said.items), older.list()], [['up', 'stopping', 'down'], []]);
});

test('a seamless reload whose new process dies: down at once, though the old one serves its sessions', async (t) => {
  const haproxy = await startHaproxy(t);
  const old = haproxy.child();
  const { said, older } = watch(t, haproxy.socketPath, { clock: testClock });
  await said.until(up(old.pid));
  await holdOpen(t, haproxy);
  await eventually(async () => /^CurrConns: [1-9]/m.test(await haproxy.ask('show info')));
  const next = await haproxy.start(['-x', haproxy.socketPath, '-sf', String(old.pid)]);
  next.kill('SIGKILL');
  const { kind } = await said.until((one) => one.kind === 'stopping' || one.kind === 'down');
  t.is(kind, 'stopping');
  t.deepEqual(
    older.list().map(({ pid }) => pid),
    [old.pid],
  );
});

test('a seamless reload whose new process dies once it serves: stopping with sessions on the old one, else down', async (t) => {
  const haproxy = await startHaproxy(t);
  const old = haproxy.child();
  const { said, older } = watch(t, haproxy.socketPath, { clock: testClock });
  await said.until(up(old.pid));
  const reload = async (): Promise<void> => {
    const { pid } = haproxy.child();
    const next = await haproxy.start(['-x', haproxy.socketPath, '-sf', String(pid)]);
    await said.until(up(next.pid));
  };
  const client = await holdOpen(t, haproxy);
  await eventually(async () => /^CurrConns: [1-9]/m.test(await haproxy.ask('show info')));
  await reload();
  haproxy.child().kill('SIGKILL');
  await said.until(({ kind }) => kind === 'stopping');
  t.deepEqual(
    older.list().map(({ pid }) => pid),
    [old.pid],
  );
  client.destroy();
  await said.until(({ kind }) => kind === 'down');
  t.deepEqual(kinds(said.items), ['up', 'up', 'stopping', 'down']);
});

test('a seamless reload whose new process dies before it tells the old one: that one goes on serving', async (t) => {
  const haproxy = await startHaproxy(t);
  const old = haproxy.child();
  const { said } = watch(t, haproxy.socketPath, { clock: testClock });
  await said.until(up(old.pid));
  // No -sf: it takes the listeners over and tells nobody to stop.
  const next = await haproxy.start(['-x', haproxy.socketPath]);
  const ended = once(next, 'exit');
  next.kill('SIGKILL');
  await ended;
  await eventually(async () => (await readInfo(haproxy.ask)).pid === old.pid);
  await eventually(() => up(old.pid)(said.items.at(-1) ?? { kind: 'down', cause: '' }));
  t.false(said.items.some(({ kind }) => kind === 'down' || kind === 'hung'));
});

test('all CLI connections taken: not known while a listener answers, hung where none does', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.socketPath, {
    clock: testClock,
    hungAfterMs: 300,
    answer: () => ANSWERS,
  });
  await said.until(up());
  const taken = Array.from({ length: 9 }, () => connect(haproxy.socketPath));
  t.teardown(() => taken.forEach((socket) => socket.destroy()));
  const unknown = await said.until(({ kind }) => kind === 'unknown');
  t.is(
    unknown.kind === 'unknown' ? unknown.remedy : '',
    'stats maxconn 50, in haproxy.conf, global; or end who holds connections there',
  );
  const before = said.items.length;
  for (const socket of taken) socket.destroy();
  await eventually(() => said.items.slice(before).some(up()));
  t.false(said.items.some(({ kind }) => kind === 'down' || kind === 'hung'));
});

test('a socket of another level than admin: not known, with the line to write, and its end is seen', async (t) => {
  const haproxy = await startHaproxy(t);
  const { said } = watch(t, haproxy.userSocketPath);
  t.deepEqual(await said.until(() => true), {
    kind: 'unknown',
    cause: `the stats socket ${haproxy.userSocketPath} is of level user: HAProxy cannot be told anything`,
    remedy: `stats socket ${haproxy.userSocketPath} mode 600 level admin, in haproxy.conf; reload HAProxy`,
  });
  haproxy.child().kill('SIGKILL');
  await said.until(({ kind }) => kind === 'down');
});

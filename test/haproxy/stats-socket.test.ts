import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { statsSocket } from '../../agent/haproxy/stats-socket.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import { FakeClock } from '../fake-clock.ts';
import { createRecord, eventually } from '../record.ts';
import { shortFolder } from './haproxy.ts';
import { scriptedSocket, type Script } from './scripted.ts';

/** Answers every command as a HAProxy of this version does its `show info`. */
const haproxy =
  (version = '2.6.12'): Script =>
  (_request, socket) =>
    void socket.end(`Name: HAProxy\nVersion: ${version}\nPid: 7\nUptime_sec: 5\nCurrConns: 0\n\n`);
const UP: Liveness = { kind: 'up', pid: 7, version: '2.6.12' };

/** A host whose haproxy.conf a test writes; `socket` is the configured one. */
function host(t: ExecutionContext, socket = '') {
  const config = join(shortFolder(t), 'haproxy.conf');
  const clock = new FakeClock();
  const opened = statsSocket({
    config,
    socket,
    hungAfterMs: 5000,
    frontends: [],
    probe: '',
    rootProcesses: () => Promise.resolve(''),
    elsewhere: () => [],
    clock,
  });
  const said = createRecord<Liveness>();
  const watch = (): (() => void) => {
    const stop = opened.watch((one) => said.add(one));
    t.teardown(stop);
    return stop;
  };
  const write = (...global: readonly string[]): void =>
    writeFileSync(config, ['global', ...global, 'defaults', ''].join('\n'));
  return { config, clock, socket: opened, said, watch, write };
}

test('a configured socket is known and asked at once; haproxy.conf is not needed', async (t) => {
  const { path, requests } = await scriptedSocket(t, haproxy());
  const { socket, said, watch } = host(t, path);
  t.is(socket.path(), path);
  await socket.ask('show info');
  t.deepEqual(requests.items, ['show info\n']);
  watch();
  t.deepEqual(await said.until(({ kind }) => kind === 'up'), UP);
});

test('without one it is the first of level admin in haproxy.conf, once that was read', async (t) => {
  const { path } = await scriptedSocket(t, haproxy());
  const { socket, said, watch, write } = host(t);
  write('stats socket /nowhere.sock level user', `stats socket ${path} level admin`);
  t.is(socket.path(), '');
  await t.throwsAsync(socket.ask('show info'), {
    message: 'no stats socket of level admin is known',
  });
  watch();
  t.deepEqual(await said.until(() => true), UP);
  t.is(socket.path(), path);
  t.regex(await socket.ask('show info'), /^Pid: 7$/m);
});

test('while haproxy.conf names none it is not known, with the line to write; it is read again every 5 s', async (t) => {
  const { path } = await scriptedSocket(t, haproxy());
  const { config, clock, said, watch, write } = host(t);
  const causes = [
    `the stats socket is not known: ENOENT: no such file or directory, open '${config}'`,
    `${config} has no "stats socket PATH level admin" in its global section`,
    `${config} names its stats socket by a variable (line 2: \${RUN}/haproxy.sock)`,
    `${config} has no stats socket that is a path (line 2: ipv4@127.0.0.1:9999)`,
  ];
  watch();
  await said.until(() => true);
  for (const line of [
    'daemon',
    'stats socket "${RUN}/haproxy.sock" mode 660 level admin',
    'stats socket ipv4@127.0.0.1:9999 level admin',
    `stats socket ${path} level admin`,
  ]) {
    const before = said.items.length;
    write(line);
    t.deepEqual(clock.sleeping(), [5000]);
    await clock.advance(5000);
    await eventually(() => said.items.length > before);
  }
  const remedy =
    'socket = "/PATH" below [haproxy] in agent.toml, or in haproxy.conf, global: ' +
    'stats socket /var/run/haproxy.sock mode 600 level admin';
  t.deepEqual(said.items, [
    ...causes.map((cause) => ({ kind: 'unknown', cause, remedy }) as const),
    UP,
  ]);
});

test('a socket of another level is watched where no other is written out', async (t) => {
  const { path } = await scriptedSocket(t, haproxy());
  const { said, watch, write } = host(t);
  write('stats socket "${RUN}/a.sock" level admin', `stats socket ${path} level operator`);
  watch();
  t.deepEqual(await said.until(() => true), UP);
});

test('a socket that haproxy.conf names elsewhere by now is found while the old one is dead', async (t) => {
  const { path } = await scriptedSocket(t, haproxy());
  const { clock, said, watch, write } = host(t);
  write('stats socket /nowhere.sock level admin');
  watch();
  await said.until(({ kind }) => kind === 'down');
  write(`stats socket ${path} level admin`);
  await eventually(async () => {
    await clock.advance(100);
    return said.items.at(-1)?.kind === 'up';
  });
  t.true(clock.nowMs() >= 5000 && clock.nowMs() < 10_000);
});

test('who ends the watch leaves no look at haproxy.conf behind', async (t) => {
  const { clock, said, watch } = host(t);
  const stop = watch();
  await said.until(({ kind }) => kind === 'unknown');
  t.deepEqual(clock.sleeping(), [5000]);
  stop();
  t.deepEqual(clock.sleeping(), []);
});

test('a payload over 16 KB goes to a HAProxy that was heard to be 3.4 or newer', async (t) => {
  const asked = async (version: string): Promise<unknown> => {
    const { path } = await scriptedSocket(t, haproxy(version));
    const { socket, said, watch } = host(t, path);
    watch();
    await said.until(({ kind }) => kind === 'up');
    return socket.ask('show info', 'x'.repeat(20_000)).then(
      () => 'sent',
      (error: unknown) => (error instanceof RuntimeError ? error.failure.kind : error),
    );
  };
  t.deepEqual([await asked('3.3.9'), await asked('3.4.0')], ['too-large', 'sent']);
});

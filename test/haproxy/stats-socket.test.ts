import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { statsSocket } from '../../agent/haproxy/stats-socket.ts';
import type { Liveness } from '../../agent/haproxy/watch.ts';
import { FakeClock } from '../fake-clock.ts';
import { createRecord } from '../record.ts';
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
  const opened = statsSocket({ config, socket, hungAfterMs: 5000, clock });
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

test('while haproxy.conf names none HAProxy is down; it is read again every 5 s', async (t) => {
  const { path } = await scriptedSocket(t, haproxy());
  const { config, clock, said, watch, write } = host(t);
  const unread = `the stats socket is not known: ENOENT: no such file or directory, open '${config}'`;
  const none = `${config} has no "stats socket PATH level admin" in its global section`;
  const told = (cause: string) => said.until((one) => one.kind === 'down' && one.cause === cause);
  watch();
  await told(unread);
  write('stats socket /nowhere.sock level user');
  t.deepEqual(clock.sleeping(), [5000]);
  await clock.advance(5000);
  await told(none);
  write(`stats socket ${path} level admin`);
  await clock.advance(5000);
  await said.until(({ kind }) => kind === 'up');
  t.deepEqual(said.items, [{ kind: 'down', cause: unread }, { kind: 'down', cause: none }, UP]);
});

test('who ends the watch leaves no look at haproxy.conf behind', async (t) => {
  const { clock, said, watch } = host(t);
  const stop = watch();
  await said.until(({ kind }) => kind === 'down');
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

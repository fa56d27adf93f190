import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { listener, type ListenerAnswer } from '../../agent/haproxy/listener.ts';
import type { Liveness } from '../../agent/haproxy/liveness.ts';
import { createRecord } from '../record.ts';
import { testClock } from '../rpc/world.ts';
import { shortFolder, startHaproxy, type TestHaproxy } from './haproxy.ts';
import { ANSWERS, NONE, kinds, watch } from './watching.ts';

const configOf = ({ folder }: TestHaproxy): string => join(folder, 'haproxy.conf');
const MORE_SLOTS = 'stats maxconn 50, in haproxy.conf, global; or end who holds connections there';

/** What a process of its own says of a HAProxy; `limit`: how many descriptors it may have. */
function apart(t: ExecutionContext, haproxy: TestHaproxy, how: string, limit: number) {
  const script = fileURLToPath(new URL('apart.js', import.meta.url));
  const args = [process.execPath, script, how, haproxy.socketPath, configOf(haproxy)];
  const child = spawn('/bin/sh', ['-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const said = createRecord<Liveness>();
  createInterface({ input: child.stdout }).on('line', (line) => said.add(JSON.parse(line)));
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
  });
  return said;
}

test('no right to the stats socket: not known, with the line to write', async (t) => {
  const haproxy = await startHaproxy(t);
  chmodSync(dirname(haproxy.socketPath), 0o755);
  chmodSync(haproxy.socketPath, 0o000);
  const said = apart(t, haproxy, 'nobody', 512);
  t.deepEqual(await said.until(() => true), {
    kind: 'unknown',
    cause: `${haproxy.socketPath} may not be used (EACCES)`,
    remedy: 'stats socket ... mode 660 level admin group proxyctl, in haproxy.conf',
  });
});

test('no descriptor left here: not known, with the line to write, and no HAProxy is down', async (t) => {
  const haproxy = await startHaproxy(t);
  const said = apart(t, haproxy, 'full', 64);
  t.deepEqual(await said.until(({ kind }) => kind !== 'up'), {
    kind: 'unknown',
    cause: 'no file descriptor is left here (EMFILE)',
    remedy: 'sysrc proxyagent_limits="-n 16384"; service proxyagent restart',
  });
});

test('a stats socket that takes one connection: not known beside the one that is held, whose end is down', async (t) => {
  const haproxy = await startHaproxy(t, { global: ['stats maxconn 1'] });
  const options = { config: configOf(haproxy), frontends: ['app'], probe: '', elsewhere: () => [] };
  const { said } = watch(t, haproxy.socketPath, {
    clock: testClock,
    hungAfterMs: 500,
    listener: listener(options),
  });
  const unknown = await said.until(({ kind }) => kind === 'unknown');
  t.deepEqual(unknown, {
    kind: 'unknown',
    cause:
      `show info: no reply at ${haproxy.socketPath} within 500 ms; ` +
      `HAProxy answers at 127.0.0.1:${haproxy.port}`,
    remedy: MORE_SLOTS,
  });
  haproxy.child().kill('SIGKILL');
  await said.until(({ kind }) => kind === 'down');
  // What was still asked is reset, which tells no more than silence.
  t.deepEqual(
    kinds(said.items).filter((kind) => kind !== 'hung'),
    ['up', 'unknown', 'down'],
  );
});

test('the queue of the stats socket is full: not known while a listener answers, else hung', async (t) => {
  const path = join(shortFolder(t), 'a.sock');
  const script = fileURLToPath(new URL('full.js', import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  await once(child.stdout, 'data');
  const code = await fillQueue(t, path);
  const first = (answer: ListenerAnswer): Promise<Liveness> =>
    watch(t, path, { clock: testClock, answer: () => answer }).said.until(() => true);
  const seen = [await first(ANSWERS), await first(NONE)];
  const cause = `show info: the connection to ${path} broke (EAGAIN)`;
  const none = `nobody listens at ${path} (ECONNREFUSED)`;
  // FreeBSD says the same to a full queue as to no listener at all.
  if (code === 'ECONNREFUSED')
    t.like(seen, [
      { kind: 'unknown', cause: `${none}; HAProxy answers at ${ANSWERS.at}` },
      { kind: 'down', cause: none },
    ]);
  else
    t.deepEqual(seen, [
      {
        kind: 'unknown',
        cause: `${cause}; HAProxy answers at ${ANSWERS.at}`,
        remedy: MORE_SLOTS,
      },
      { kind: 'hung', cause },
    ]);
});

/** Connects until that is refused; how it is. */
async function fillQueue(t: ExecutionContext, path: string): Promise<string> {
  const sockets: Socket[] = [];
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  for (;;) {
    const socket = connect(path);
    sockets.push(socket);
    const code = await once(socket, 'connect').then(
      () => null,
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : ''),
    );
    if (code !== null) return code;
  }
}

import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { Metadata, status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { grpc } from '../../proto/gen/messages.js';
import { HealthService } from '../../proto/gen/services.ts';
import { listenTcp } from '../../agent/rpc/listen.ts';
import { createRecord } from '../record.ts';
import { askMove, askPush, askStatus, clientOf, createWorld } from './world.ts';
import { emptyStatus, serveWorld } from './world.ts';

const codeOf = (answer: string | ServiceError): string =>
  typeof answer === 'string' ? answer : (Code[answer.code] ?? 'none');
const request = { header: { requestId: 'r1', actor: 'mallory' }, to: 'haproxy02' };

test('the unix sockets have the roles and modes they are configured with', async (t) => {
  const world = await createWorld(t);
  const before = process.umask();
  const server = await serveWorld(t, world);
  const admin = join(world.folder, 'admin.sock');
  t.deepEqual(
    [server.socketPath, admin].map((path) => (statSync(path).mode & 0o777).toString(8)),
    ['660', '600'],
  );
  t.is(process.umask(), before);
  t.deepEqual(server.problems, []);
  const outcomes = [];
  for (const path of [server.socketPath, admin]) {
    const client = clientOf(t, `unix:${path}`, null, null);
    const { events } = await askMove(client, request);
    const push = await askPush(client, 'one two three');
    outcomes.push([
      codeOf(await askStatus(client)),
      events.map(({ body }) => body),
      push.error?.details ?? 'pushed',
    ]);
  }
  t.deepEqual(outcomes, [
    ['haproxy01', ['result'], 'certificates needs the role admin; this socket has operator'],
    ['haproxy01', ['result'], 'pushed'],
  ]);
  const acts = server.heard.items.flatMap((one) => (one.kind === 'act' ? [one] : []));
  t.deepEqual(
    acts.map(({ act }) => act.header.actor),
    ['mallory', 'mallory', 'local'],
  );
  t.like(acts[2]?.act, { bundles: [{ path: null, pem: 'one two three' }] });
});

test('a stale socket is replaced, a live one and a file are not', async (t) => {
  const world = await createWorld(t);
  const path = join(world.folder, 'agent.sock');
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', code]), 'close');
  t.true(existsSync(path));
  const server = await serveWorld(t, world);
  t.is(codeOf(await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null))), 'haproxy01');

  await t.throwsAsync(serveWorld(t, world), {
    message: `cannot listen on ${path}: an agent already listens there`,
  });
  t.is(codeOf(await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null))), 'haproxy01');

  const file = join(world.folder, 'file.sock');
  writeFileSync(file, 'precious');
  await t.throwsAsync(serveWorld(t, world, { socketName: 'file.sock' }), {
    message: `cannot listen on ${file}: something that is no socket is there; remove it`,
  });
});

test('an address that cannot be bound is named with its cause, and nothing stays bound', async (t) => {
  const world = await createWorld(t);
  const taken = createServer();
  taken.listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const bound = taken.address();
  const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
  const listen = ['127.0.0.1:0', `127.0.0.1:${port}`];
  await t.throwsAsync(serveWorld(t, world, { listen }), {
    message: `cannot listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE)`,
  });
  await t.throwsAsync(serveWorld(t, world, { listen: ['localhost'] }), {
    message: 'cannot listen on localhost: not of the form HOST:PORT or [HOST]:PORT',
  });
  await t.throwsAsync(serveWorld(t, world, { socketName: 'none/agent.sock' }), {
    message: `cannot listen on ${world.folder}/none/agent.sock: its directory does not exist (ENOENT)`,
  });
});

const LISTEN = new URL('../../agent/rpc/listen.js', import.meta.url).href;
const LISTENING = `import(${JSON.stringify(LISTEN)})
  .then(({ listenTcp }) => listenTcp('192.0.2.1:0', () => undefined))
  .then(() => process.exit(3), ({ message }) => process.stdout.write(message));`;
/**
 * net.ipv4.ip_nonlocal_bind of the machine may allow any address; a network namespace of its own
 * has 0. Its loopback must be up: without a table of local addresses Linux allows any, too.
 */
const WITH_LOOPBACK = 'PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && exec "$@"';
const apart = ['-n', '-Urn']
  .map((flag) => ['unshare', flag, 'sh', '-c', WITH_LOOPBACK, 'sh'])
  .find(([file = '', ...args]) => spawnSync(file, [...args, 'true']).status === 0);
const NONLOCAL = '/proc/sys/net/ipv4/ip_nonlocal_bind';
const anyAddress = existsSync(NONLOCAL) && readFileSync(NONLOCAL, 'utf8').trim() !== '0';

(apart === undefined && anyAddress ? test.skip : test)(
  'an address that no interface has is named so',
  (t) => {
    const [file, ...args] = [...(apart ?? []), process.execPath, '-e', LISTENING];
    const { stdout, status } = spawnSync(file, args, { encoding: 'utf8' });
    t.deepEqual(
      [stdout, status],
      ['cannot listen on 192.0.2.1:0: no interface has this address (EADDRNOTAVAIL)', 0],
    );
  },
);

test('both families listen side by side on one port, as the default has it', async (t) => {
  const accepted: string[] = [];
  const first = await listenTcp('0.0.0.0:0', (socket) =>
    accepted.push(`v4 ${String(socket.destroy().destroyed)}`),
  );
  t.teardown(() => first.close());
  const port = Number(first.address.split(':')[1]);
  const second = await listenTcp(`[::]:${port}`, (socket) =>
    accepted.push(`v6 ${String(socket.destroy().destroyed)}`),
  );
  t.teardown(() => second.close());
  t.is(second.address, `[::]:${port}`);
  for (const host of ['127.0.0.1', '::1']) {
    const socket = connect(port, host);
    socket.on('error', () => undefined);
    await once(socket, 'close');
  }
  t.deepEqual(accepted, ['v4 true', 'v6 true']);
});

test('garbage and half connections on the port harm nobody', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const port = Number(server.address.split(':')[1]);
  const closed = [
    'GET / HTTP/1.1\r\n\r\n',
    '\0'.repeat(3000),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ].map(async (bytes) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
  });
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  await Promise.all(closed);
  const client = clientOf(t, server.address, world.ca.certPem, await world.operator('a', 'viewer'));
  t.is(codeOf(await askStatus(client)), 'haproxy01');
  client.close();
  const gone = once(silent, 'close');
  silent.on('error', () => undefined);
  // It has no session that could end: a grace longer than the test is not waited for.
  await server.close(600_000);
  await gone;
});

test('calls under way when the agent closes are answered, and it waits for no more', async (t) => {
  const world = await createWorld(t);
  const asked = createRecord<() => void>();
  const server = await serveWorld(t, world, {
    control: {
      status: () => new Promise((resolve) => asked.add(() => resolve(emptyStatus))),
    },
  });
  const viewer = await world.operator('a', 'viewer');
  const replies = [
    askStatus(clientOf(t, `unix:${server.socketPath}`, null, null)),
    askStatus(clientOf(t, server.address, world.ca.certPem, viewer)),
  ];
  await asked.until(() => asked.items.length === 2);
  const closed = server.close(600_000);
  const fresh = clientOf(t, `unix:${server.socketPath}`, null, null);
  t.is(codeOf(await askStatus(fresh)), 'UNAVAILABLE');
  for (const answer of asked.items) answer();
  t.deepEqual((await Promise.all(replies)).map(codeOf), ['haproxy01', 'haproxy01']);
  await closed;
});

test('the health service serves until the agent closes, which ends open streams within the grace', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, {
    control: { move: () => new Promise(() => undefined) },
  });
  const client = clientOf(t, `unix:${server.socketPath}`, null, null);
  const states: number[] = [];
  const { path, requestSerialize, responseDeserialize } = HealthService.watch;
  const args = [path, requestSerialize, responseDeserialize, { service: '' }] as const;
  const watch = client.makeServerStreamRequest(...args, new Metadata());
  watch.on('data', ({ status }: grpc.health.v1.HealthCheckResponse) => states.push(status));
  await once(watch, 'data');
  const stuck = askMove(client, request);
  t.is(codeOf(await askStatus(client)), 'haproxy01');
  const start = Date.now();
  const ended = once(watch, 'end');
  await server.close(300);
  await ended;
  t.is((await stuck).error?.code, Code.CANCELLED);
  const took = Date.now() - start;
  t.true(took >= 290 && took < 1500, `took ${took} ms`);
  t.deepEqual(states, [1, 2]);
  t.false(existsSync(server.socketPath));
});

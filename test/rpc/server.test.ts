import { once } from 'node:events';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { Client, Metadata, status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { grpc } from '../../proto/gen/messages.js';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import { ActFailure } from '../../agent/core/acts.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import { readTls } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { createCa } from './certificates.ts';
import { askMove, askPush, askStatus, clientOf, collect, createWorld } from './world.ts';
import { emptyResult, serveWorld } from './world.ts';

const codeOf = (answer: string | ServiceError): string =>
  typeof answer === 'string' ? answer : (Code[answer.code] ?? 'none');
const request = { header: { requestId: 'r1', actor: 'mallory' }, to: 'haproxy02' };

test('each role may do what it may and no more, over TLS', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const allowed: Record<string, string[]> = {};
  for (const role of ['viewer', 'operator', 'admin']) {
    const issued = await world.operator('anna', role);
    const client = clientOf(t, server.address, world.ca.certPem, issued);
    const move = await askMove(client, request);
    const push = await askPush(client, 'some certificate');
    allowed[role] = [
      codeOf(await askStatus(client)),
      move.error?.details ?? 'moved',
      push.error?.details ?? 'pushed',
    ];
  }
  t.deepEqual(allowed, {
    viewer: [
      'haproxy01',
      'move needs the role operator; anna has viewer',
      'certificates needs the role admin; anna has viewer',
    ],
    operator: ['haproxy01', 'moved', 'certificates needs the role admin; anna has operator'],
    admin: ['haproxy01', 'moved', 'pushed'],
  });
  const acts = server.heard.items.flatMap((one) => (one.kind === 'act' ? [one.caller] : []));
  t.deepEqual(acts, [
    { name: 'anna', role: 'operator' },
    { name: 'anna', role: 'admin' },
    { name: 'anna', role: 'admin' },
  ]);
});

test('the certificate, not the request, names the actor over TLS', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const issued = await world.operator('anna', 'operator');
  await askMove(clientOf(t, server.address, world.ca.certPem, issued), request);
  const heard = await server.heard.until(({ kind }) => kind === 'act');
  t.deepEqual(heard, {
    kind: 'act',
    caller: { name: 'anna', role: 'operator' },
    act: {
      header: {
        ...{ requestId: 'r1', actor: 'anna', reason: '', acceptRisks: [] },
        ...{ dryRun: false, timeoutMs: null, seen: null },
      },
      ...{ addresses: [], to: 'haproxy02', unpin: false, untilMs: null },
    },
  });
});

test('no certificate, a foreign one, an expired one and TLS 1.2 get no answer', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const other = await createCa('web');
  const uri = 'proxyctl://web/operator/anna/admin';
  const ask = async (...args: [Parameters<typeof clientOf>[3], 'TLSv1.2'?]) =>
    codeOf(await askStatus(clientOf(t, server.address, world.ca.certPem, ...args)));
  t.deepEqual(
    [
      await ask(null),
      await ask(await other.issue([uri])),
      await ask(await world.ca.issue([uri], -1)),
      await ask(await world.ca.issue([uri]), 'TLSv1.2'),
      await ask(await world.ca.issue([uri])),
    ],
    ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE', 'haproxy01'],
  );
});

test('a certificate of this CA that is nobody here is refused with a reason', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const ask = async (...names: string[]) => {
    const issued = await world.ca.issue(names);
    const answer = await askStatus(clientOf(t, server.address, world.ca.certPem, issued));
    return typeof answer === 'string' ? answer : answer.message;
  };
  const operator = 'proxyctl://web/operator/anna/admin';
  t.deepEqual(
    [
      await ask('https://example.net/'),
      await ask('proxyctl://mail/operator/anna/admin'),
      await ask(operator, 'proxyctl://web/node/haproxy02'),
      await ask('proxyctl://web/node/haproxy02'),
    ],
    [
      '16 UNAUTHENTICATED: the certificate carries no proxyctl:// name',
      '16 UNAUTHENTICATED: "proxyctl://mail/operator/anna/admin" belongs to another pair than web',
      '16 UNAUTHENTICATED: the certificate carries 2 proxyctl:// names, one is allowed',
      '7 PERMISSION_DENIED: the certificate of node haproxy02 is for agents, not for operators',
    ],
  );
  t.is(server.heard.items.filter(({ kind }) => kind === 'refused').length, 4);
});

test('the Peer service is for configured nodes, and not on the unix socket at all', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, {
    peer: { findServers: () => Promise.resolve([]) },
  });
  const { path, requestSerialize, responseDeserialize } = PeerService.findServers;
  const ask = (client: Client) =>
    new Promise<string>((resolve) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { backend: 'web' },
        (error: ServiceError | null) => resolve(error?.message ?? 'answered'),
      );
    });
  const over = (issued: Parameters<typeof clientOf>[3]) =>
    ask(clientOf(t, server.address, world.ca.certPem, issued));
  t.deepEqual(
    [
      await over(await world.ca.issue(['proxyctl://web/node/haproxy02'])),
      await over(await world.ca.issue(['proxyctl://web/node/haproxy09'])),
      await over(await world.operator('anna', 'admin')),
    ],
    [
      'answered',
      '7 PERMISSION_DENIED: haproxy09 is not configured as a peer here',
      '7 PERMISSION_DENIED: anna is an operator, not an agent',
    ],
  );
  for (const name of ['agent.sock', 'admin.sock']) {
    const client = clientOf(t, `unix:${join(world.folder, name)}`, null, null);
    t.regex(await ask(client), /^12 UNIMPLEMENTED/);
  }
});

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
    acts.map(({ caller }) => caller),
    [
      { name: 'mallory', role: 'operator' },
      { name: 'mallory', role: 'admin' },
      { name: 'local', role: 'admin' },
    ],
  );
  t.like(acts[2]?.act, { pem: 'one two three', path: null });
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
  await t.throwsAsync(serveWorld(t, world, { listen: ['192.0.2.1:0'] }), {
    message: 'cannot listen on 192.0.2.1:0: no interface has this address (EADDRNOTAVAIL)',
  });
  await t.throwsAsync(serveWorld(t, world, { listen: ['localhost'] }), {
    message: 'cannot listen on localhost: not of the form HOST:PORT or [HOST]:PORT',
  });
  await t.throwsAsync(serveWorld(t, world, { socketName: 'none/agent.sock' }), {
    message: `cannot listen on ${world.folder}/none/agent.sock: its directory does not exist (ENOENT)`,
  });
});

test('both families listen side by side on one port, as the default has it', async (t) => {
  const world = await createWorld(t);
  const first = await serveWorld(t, world, { listen: ['0.0.0.0:0'] });
  const port = first.address.split(':')[1] ?? '';
  const both = await serveWorld(t, world, {
    listen: [`[::]:${port}`],
    socketName: 'b/../b.sock',
  }).catch((error: unknown) => String(error));
  // admin.sock lies in the same folder and is the first server's: only that stops the second.
  t.is(
    both,
    `ListenError: cannot listen on ${join(world.folder, 'admin.sock')}: an agent already listens there`,
  );
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
  await server.close(1000);
  await gone;
});

test('progress comes before the one result, and failures keep outcome and detail', async (t) => {
  const world = await createWorld(t);
  const detail = { code: 'peer_unhealthy', message: 'haproxy02 cannot serve 1@wan' };
  const server = await serveWorld(t, world, {
    control: {
      move: (act, _caller, report) => {
        report({ step: 'checking', text: 'both', tookMs: 3 });
        if (act.to === 'a') return Promise.resolve(emptyResult);
        if (act.to === 'b') throw new ActFailure('unsafe', detail);
        return Promise.reject(new Error('cannot read x\n    at y'));
      },
    },
  });
  const client = clientOf(t, `unix:${server.socketPath}`, null, null);
  const ask = async (more: Parameters<typeof askMove>[1]) => {
    const { events } = await askMove(client, { header: { requestId: 'r9' }, ...more });
    return events.map(({ progress, result }) =>
      progress ? progress.step : [result?.outcome, result?.requestId, result?.error?.message],
    );
  };
  t.deepEqual(
    [
      await ask({ to: 'a' }),
      await ask({ to: 'b' }),
      await ask({ to: 'c' }),
      await ask({ header: {} }),
      await ask({ header: { requestId: 'x', acceptRisks: ['yolo'] } }),
    ],
    [
      ['checking', [1, 'r1', undefined]],
      ['checking', [6, 'r9', detail.message]],
      ['checking', [2, 'r9', 'move: cannot read x']],
      [[3, '', 'move: header.request_id: missing']],
      [[3, '', 'move: header.accept_risks[0]: unknown word "yolo"']],
    ],
  );
  const failed = server.heard.items.filter(({ kind }) => kind === 'failed');
  t.is(failed.length, 1);
});

test('an act goes on when its caller leaves', async (t) => {
  const world = await createWorld(t);
  let go: () => void = () => undefined;
  const left = new Promise<void>((resolve) => (go = resolve));
  let done: (text: string) => void = () => undefined;
  const finished = new Promise<string>((resolve) => (done = resolve));
  const server = await serveWorld(t, world, {
    control: {
      async move(_act, _caller, report) {
        report({ step: 'storing', text: '', tookMs: 0 });
        await left;
        report({ step: 'moving', text: '', tookMs: 0 });
        done('moved');
        return emptyResult;
      },
    },
  });
  const client = clientOf(t, `unix:${server.socketPath}`, null, null);
  const { path, requestSerialize, responseDeserialize } = ControlService.move;
  const args = [path, requestSerialize, responseDeserialize, request] as const;
  const stream = client.makeServerStreamRequest(...args);
  stream.on('error', () => undefined);
  await once(stream, 'data');
  stream.cancel();
  client.close();
  t.is(codeOf(await askStatus(clientOf(t, `unix:${server.socketPath}`, null, null))), 'haproxy01');
  go();
  t.is(await finished, 'moved');
});

test('half an upload is never acted on', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const admin = `unix:${join(world.folder, 'admin.sock')}`;
  const open = (client: Client) => {
    const { path, requestSerialize, responseDeserialize } = ControlService.pushCertificates;
    return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  };
  const client = clientOf(t, admin, null, null);
  const early = open(client);
  const refused = collect(early);
  early.write({ chunk: Buffer.from('x') });
  early.end();
  const { events } = await refused;
  t.is(
    events[0]?.result?.error?.message,
    'certificates: body: the request comes first and once, then chunks',
  );
  const big = open(client);
  const tooBig = collect(big);
  big.write({ request: { header: { requestId: 'r' } } });
  big.write({ chunk: Buffer.alloc(700_000, 'x') });
  big.write({ chunk: Buffer.alloc(700_000, 'x') });
  big.end();
  t.is(
    (await tooBig).events[0]?.result?.error?.message,
    'certificates: chunk: more than 1048576 bytes',
  );
  const cut = open(client);
  cut.on('error', () => undefined);
  cut.write({ request: { header: { requestId: 'r' } } });
  cut.write({ chunk: Buffer.from('half') });
  cut.cancel();
  await askPush(clientOf(t, admin, null, null), 'whole');
  const acts = server.heard.items.flatMap((one) => (one.kind === 'act' ? [one.act] : []));
  t.is(acts.length, 1);
  t.like(acts[0], { pem: 'whole' });
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

test('a new certificate is served after reload, and a bad one leaves the old in place', async (t) => {
  const world = await createWorld(t);
  const names = ['proxyctl://web/node/haproxy01'];
  const first = await world.ca.issue(names);
  const paths = world.write('haproxy01', first);
  const tls = createTls(paths, 'web', 'haproxy01', systemClock);
  const server = await serveWorld(t, world, { tls });
  const issued = await world.operator('anna', 'viewer');
  const ask = async () =>
    codeOf(await askStatus(clientOf(t, server.address, world.ca.certPem, issued)));
  const old = clientOf(t, server.address, world.ca.certPem, issued);
  t.is(codeOf(await askStatus(old)), 'haproxy01');

  const other = await createCa('web');
  world.write('haproxy01', { ...first, certPem: 'nonsense' });
  t.throws(() => tls.reload(), { message: `${paths.cert}: holds no PEM certificate` });
  t.is(await ask(), 'haproxy01');

  // With another CA on disk, callers of the first are strangers, and those of the second are not.
  world.write('haproxy01', await other.issue(names, 3), other);
  tls.reload();
  t.is(await ask(), 'UNAVAILABLE');
  const theirs = await other.issue(['proxyctl://web/operator/anna/viewer']);
  const newcomer = clientOf(t, server.address, other.certPem, theirs);
  t.is(codeOf(await askStatus(newcomer)), 'haproxy01');
  t.is(codeOf(await askStatus(old)), 'haproxy01', 'a connection that stands goes on');
  t.true(tls.notAfterWallMs() < Date.now() + 4 * 86_400_000);
});

test('every fault of the TLS files is named with its file', async (t) => {
  const world = await createWorld(t);
  const names = ['proxyctl://web/node/haproxy01'];
  const good = await world.ca.issue(names);
  const read = (paths: ReturnType<typeof world.write>, wallMs = Date.now()) => {
    const error = t.throws(() => readTls(paths, 'web', 'haproxy01', wallMs));
    return error.message.replaceAll(`${world.folder}/`, '');
  };
  const expired = await world.ca.issue(names, -1);
  const stranger = await (await createCa('web')).issue(names);
  const peer = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  const mixed = { certPem: good.certPem, keyPem: peer.keyPem };
  const open = world.write('open', good);
  chmodSync(open.key, 0o604);
  const gone = { ...world.write('gone', good), key: join(world.folder, 'gone.key2') };
  t.deepEqual(
    [
      read(gone),
      read(open),
      read(world.write('mixed', mixed)),
      read(world.write('key', { ...good, keyPem: good.certPem })),
      read(world.write('cert', { ...good, certPem: good.keyPem })),
      read(world.write('expired', expired)).replace(/\d{4}-\d\d-\d\d/, 'DAY'),
      read(world.write('early', good), Date.UTC(2020, 1)).replace(/\d{4}-\d\d-\d\d/, 'DAY'),
      read(world.write('stranger', stranger)),
      read(world.write('peer', peer)),
      read(world.write('anna', await world.operator('anna', 'admin'))),
      read(world.write('nobody', await world.ca.issue(['https://x/']))),
    ],
    [
      'gone.key2: no such file',
      'open.key: can be read by others',
      'mixed.key: does not belong to mixed.pem',
      'key.key: is no PEM private key without a passphrase',
      'cert.pem: holds no PEM certificate',
      'expired.pem: expired on DAY',
      'early.pem: starts on DAY, later than now',
      'stranger.pem: was not issued by stranger.ca.pem',
      'peer.pem: belongs to haproxy02, not to node haproxy01',
      'anna.pem: belongs to the operator anna, not to node haproxy01',
      'nobody.pem: the certificate carries no proxyctl:// name',
    ],
  );
});

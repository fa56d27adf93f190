import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import { Client, status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { ControlService, PeerService } from '../../proto/gen/services.ts';
import { ActFailure } from '../../agent/core/results.ts';
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
  const acts = server.heard.items.flatMap((one) =>
    one.kind === 'act' ? [one.act.header.actor] : [],
  );
  t.deepEqual(acts, ['anna', 'anna', 'anna']);
});

test('the certificate, not the request, names the actor over TLS', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const issued = await world.operator('anna', 'operator');
  await askMove(clientOf(t, server.address, world.ca.certPem, issued), request);
  const heard = await server.heard.until(({ kind }) => kind === 'act');
  t.deepEqual(heard, {
    kind: 'act',
    act: {
      header: {
        requestId: 'r1',
        actor: 'anna',
        reason: '',
        acceptRisks: [],
        dryRun: false,
        timeoutMs: null,
        seen: null,
      },
      addresses: [],
      to: 'haproxy02',
      toggle: false,
      unpin: false,
      untilMs: null,
    },
  });
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
    member: { findServers: () => Promise.resolve([]) },
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

test('progress comes before the one result, and failures keep outcome and detail', async (t) => {
  const world = await createWorld(t);
  const detail = { code: 'peer_unhealthy', message: 'haproxy02 cannot serve 1@wan' };
  const server = await serveWorld(t, world, {
    control: {
      move: (act, report) => {
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
      async move(_act, report) {
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
  big.write({ chunk: Buffer.alloc(2_000_000, 'x') });
  big.write({ chunk: Buffer.alloc(2_000_000, 'x') });
  big.end();
  t.is(
    (await tooBig).events[0]?.result?.error?.message,
    'certificates: chunk: more than 3145728 bytes',
  );
  const cut = open(client);
  cut.on('error', () => undefined);
  cut.write({ request: { header: { requestId: 'r' } } });
  cut.write({ chunk: Buffer.from('half') });
  cut.cancel();
  await askPush(clientOf(t, admin, null, null), 'whole');
  const acts = server.heard.items.flatMap((one) => (one.kind === 'act' ? [one.act] : []));
  t.is(acts.length, 1);
  t.like(acts[0], { bundles: [{ path: null, pem: 'whole' }] });
});

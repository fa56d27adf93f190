import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Client, MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import { openAudit } from '../../agent/audit/audit.ts';
import { auditEntry } from '../../agent/core/audit/audit-lines.ts';
import type { AuditEntry, AuditWho } from '../../agent/core/audit/audit.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { readCrls } from '../../agent/rpc/crl.ts';
import type { Issued } from './certificates.ts';
import { askMove, askPush, clientOf, collect, createWorld } from './world.ts';
import { emptyResult, serveWorld, testClock } from './world.ts';

/** A server that keeps a record, and what is on it. */
async function recorded(t: ExecutionContext, more: Parameters<typeof serveWorld>[2] = {}) {
  const world = await createWorld(t);
  const file = join(world.folder, 'audit.log');
  const audit = openAudit({
    node: 'haproxy01',
    file,
    syslog: { write: () => undefined, always: false },
    clock: testClock,
    problems: { raise: (_subject, cause) => t.fail(cause), clear: () => undefined },
  });
  t.teardown(() => audit.close());
  const tls = await world.tlsOf('haproxy01');
  const server = await serveWorld(t, world, { tls, ...more, audit });
  return {
    world,
    server,
    tls,
    text: () => readFileSync(file, 'utf8'),
    entries: (): AuditEntry[] =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .flatMap((line) => auditEntry(line) ?? []),
    by: (issued: Issued) => clientOf(t, server.address, world.ca.certPem, issued),
    overSocket: () => clientOf(t, `unix:${server.socketPath}`, null, null),
  };
}

/** A plain call, to its end. */
function asked(client: Client, method: object, request: object): Promise<ServiceError | null> {
  const { path, requestSerialize, responseDeserialize } = method as MethodDefinition<
    object,
    object
  >;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) =>
      resolve(error),
    );
  });
}

const shown = ({ event, what, who, claimed, requestId, outcome, code }: AuditEntry) => [
  event,
  what,
  whoShown(who),
  claimed,
  requestId,
  outcome,
  code,
];
const whoShown = (who: AuditWho | null): string =>
  who?.how === 'certificate' ? `${who.name} ${who.role}` : (who?.how ?? 'nobody');

test('an operator over TLS is their certificate; over the socket it is the socket, whatever is claimed', async (t) => {
  const { world, by, overSocket, entries, server } = await recorded(t);
  const anna = await world.operator('anna', 'operator');
  const header = { requestId: 'r1', actor: 'bob', reason: 'disk' };
  await askMove(by(anna), { header, addresses: ['1@wan'], to: 'haproxy02' });
  await askMove(overSocket(), { header: { ...header, requestId: 'r2', actor: 'anna' } });
  t.deepEqual(entries().map(shown), [
    ['begun', 'move', 'anna operator', 'bob', 'r1', '', ''],
    ['ended', 'move', 'anna operator', 'bob', 'r1', 'reached', ''],
    ['begun', 'move', 'socket', 'anna', 'r2', '', ''],
    ['ended', 'move', 'socket', 'anna', 'r2', 'reached', ''],
  ]);
  const [first, , third] = entries();
  t.like(first, {
    from: first?.from,
    reason: 'disk',
    objects: ['1@wan'],
    args: { to: 'haproxy02' },
  });
  t.regex(first?.from ?? '', /^127\.0\.0\.1:\d+$/);
  t.regex(first?.who?.how === 'certificate' ? (first.who.serial ?? '') : '', /^[1-9A-F][0-9A-F]*$/);
  t.deepEqual(third?.who, {
    how: 'socket',
    socket: server.socketPath,
    role: 'operator',
    uid: null,
    pid: null,
  });
});

test('an act stands on record before its verb is called', async (t) => {
  let during: string[] = [];
  const { world, by, entries } = await recorded(t, {
    control: {
      move: () => {
        during = entries().map(({ event }) => event);
        return Promise.resolve(emptyResult);
      },
    },
  });
  await askMove(by(await world.operator('anna', 'operator')), { header: { requestId: 'r1' } });
  t.deepEqual(during, ['begun']);
});

test('refusals: a role too low, a request that is not understood, a node, a call over the limits', async (t) => {
  const { world, by, entries, server } = await recorded(t);
  const viewer = by(await world.operator('v', 'viewer'));
  await askMove(viewer, { header: { requestId: 'r1' } });
  await asked(viewer, PeerService.inspect, {});
  await collect(
    viewer.makeServerStreamRequest(
      ControlService.show.path,
      ControlService.show.requestSerialize,
      ControlService.show.responseDeserialize,
      { command: 'show sess' },
    ),
  );
  await askMove(by(await world.operator('anna', 'operator')), {});
  await asked(by(await world.ca.issue(['https://example.net/'])), HealthService.check, {});
  const long = by(await world.operator('long', 'viewer'));
  await asked(long, ControlService.history, { addresses: ['x'.repeat(100_000)] });
  t.deepEqual(entries().map(shown), [
    ['refused', 'move', 'v viewer', null, '', '', 'role_too_low'],
    ['refused', 'inspect', 'v viewer', null, '', '', 'permission_denied'],
    ['refused', 'haproxy show sess', 'v viewer', null, '', '', 'role_too_low'],
    ['refused', 'move', 'anna operator', null, '', '', 'bad_request'],
    ['refused', 'health', 'null null', null, '', '', 'unauthenticated'],
    ['refused', 'history', 'long viewer', null, '', '', 'too_long'],
  ]);
  t.is(server.heard.items.filter(({ kind }) => kind === 'act').length, 0);
});

test('a caller who is refused without end fills neither the record nor the log', async (t) => {
  const { world, by, entries, server } = await recorded(t);
  const viewer = by(await world.operator('v', 'viewer'));
  for (let at = 0; at < 60; at += 1) await askMove(viewer, { header: { requestId: `r${at}` } });
  t.is(entries().length, 10);
  t.is(server.heard.items.filter(({ kind }) => kind === 'refused').length, 10);
});

test('who looked at clients, and what took a key away, is on record; other looks are not', async (t) => {
  const reply = { node: 'haproxy01', problem: '', bytes: new Uint8Array(), cut: false };
  const { world, by, entries } = await recorded(t, {
    control: { show: () => Promise.resolve({ node: 'haproxy01', nodes: [reply] }) },
    member: {
      show: () => Promise.resolve(reply),
      fetchBundle: () => Promise.resolve('PEM'),
    },
  });
  const anna = by(await world.operator('anna', 'operator'));
  const { path, requestSerialize, responseDeserialize } = ControlService.show;
  for (const command of ['show info', 'show sess'])
    await collect(
      anna.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { command }),
    );
  const peer = by(await world.ca.issue(['proxyctl://web/node/haproxy02']));
  for (const command of ['show info', 'show sess', 'show table WEB'])
    await asked(peer, PeerService.show, { command });
  await asked(peer, PeerService.fetchBundle, { name: 'site', sha256: 'a' });
  t.deepEqual(
    entries().map((entry) => [entry.event, entry.what, whoShown(entry.who), entry.objects]),
    [
      ['read', 'haproxy show sess', 'anna operator', []],
      ['read', 'haproxy show sess', 'haproxy02 node', []],
      ['read', 'haproxy show table', 'haproxy02 node', []],
      ['read', 'fetch bundle', 'haproxy02 node', ['site']],
    ],
  );
});

test('what a node does for another is on record as that node, with whom it says it asks for', async (t) => {
  const { world, by, entries } = await recorded(t, {
    storeIntents: () => Promise.resolve([]),
    member: {
      shutSessions: () =>
        Promise.reject(new ActFailure('failed', { code: 'haproxy', message: 'no such server' })),
    },
  });
  const peer = by(await world.ca.issue(['proxyctl://web/node/haproxy02']));
  const intent = {
    key: 'server//WEB/web1',
    value: 'drain',
    stamp: { wallMs: 1_800_000_000_000, counter: 0, node: 'haproxy02' },
    actor: 'anna',
    reason: 'disk',
    requestId: 'r1',
  };
  t.is(await asked(peer, PeerService.storeIntents, { intents: [intent] }), null);
  await asked(peer, PeerService.shutSessions, { backend: 'WEB', server: 'web1' });
  const told = entries().map((entry) => [...shown(entry), entry.objects, entry.asked]);
  const actor = [{ actor: 'anna', requestId: 'r1' }];
  const node = 'haproxy02 node';
  const key = ['server//WEB/web1'];
  t.deepEqual(told, [
    ['begun', 'store intents', node, null, '', '', '', key, actor],
    ['ended', 'store intents', node, null, '', 'reached', '', key, actor],
    ['begun', 'shut sessions', node, null, '', '', '', ['WEB/web1'], []],
    ['ended', 'shut sessions', node, null, '', 'failed', 'haproxy', ['WEB/web1'], []],
  ]);
});

test('an upload has no key on record, and one that is not understood is a refusal', async (t) => {
  const { world, by, entries, text } = await recorded(t);
  const admin = by(await world.operator('root', 'admin'));
  const issued = await world.ca.issue(['proxyctl://web/node/x']);
  await askPush(admin, `${issued.certPem}\n${issued.keyPem}`);
  t.deepEqual(entries().map(shown), [
    ['begun', 'certificates', 'root admin', null, 'r2', '', ''],
    ['ended', 'certificates', 'root admin', null, 'r2', 'reached', ''],
  ]);
  t.regex(String(entries()[0]?.args['fingerprint_1']), /^[0-9a-f]{40}$/);
  t.false(text().includes(issued.keyPem.split('\n')[1] ?? ''));
  const { path, requestSerialize, responseDeserialize } = ControlService.pushCertificates;
  const upload = admin.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const ended = collect(upload);
  upload.write({ chunk: Buffer.from(issued.keyPem) });
  upload.end();
  await ended;
  const refused = ['refused', 'certificates', 'root admin', null, '', '', 'bad_request'];
  t.deepEqual(entries().slice(2).map(shown), [refused]);
});

test('a connection whose certificate was revoked is on record with its address', async (t) => {
  const { world, by, entries, tls } = await recorded(t);
  const gone = await world.operator('gone', 'admin');
  tls.revoke(readCrls(await world.ca.crl([gone], 1), tls.issuers()));
  await asked(by(gone), ControlService.status, {});
  const [entry] = entries();
  t.like(entry, { event: 'handshake', from: '127.0.0.1', message: 'its certificate was revoked' });
});

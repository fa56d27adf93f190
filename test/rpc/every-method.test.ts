import { readFileSync } from 'node:fs';
import test from 'ava';
import { status as Code, type Client, type ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/grpc-js';
import * as generated from '../../proto/gen/services.ts';
import type { AuditRefusal } from '../../agent/core/audit/audit.ts';
import { calledAs } from '../../agent/rpc/called.ts';
import { readCrls } from '../../agent/rpc/crl.ts';
import { FakeClock } from '../fake-clock.ts';
import { NO_AUDIT } from '../scripted.ts';
import { createCa, type Issued } from './certificates.ts';
import { clientOf, createWorld, serveWorld } from './world.ts';

type Method = MethodDefinition<object, object>;
const { ControlService } = generated;
/** All that there are: a new service or method is asked too. */
const SERVICES = Object.fromEntries(
  Object.entries(generated).map(([name, methods]) => [name.replace(/Service$/, ''), methods]),
);
/** What nobody may find in a log who was not let in with it. */
const CONTENT = 'mind-reading';

/** A request whose every text is CONTENT, as far as its message has that. */
const full: object = new Proxy(
  {},
  {
    get: (_target, name) => valueOf(String(name)),
    getOwnPropertyDescriptor: (_target, name) =>
      String(name).startsWith('$')
        ? undefined
        : { configurable: true, enumerable: true, value: valueOf(String(name)) },
  },
);

function valueOf(name: string): unknown {
  // What the codec asks for itself: bytes it does not know.
  if (name.startsWith('$')) return undefined;
  return name === 'header' || name === 'request' ? full : CONTENT;
}

/** How a call of this method ends, or that it is let in. */
function outcome(client: Client, method: Method, request: object): Promise<string> {
  const { path, responseDeserialize: read } = method;
  const write = (value: object): Buffer => {
    try {
      return method.requestSerialize(value);
    } catch {
      return method.requestSerialize({});
    }
  };
  const deadline = { deadline: Date.now() + 20_000 };
  return new Promise((resolve) => {
    const said = (error: ServiceError): void =>
      resolve(
        ['UNAVAILABLE', 'UNAUTHENTICATED', 'PERMISSION_DENIED'].find(
          (word) => word === Code[error.code],
        ) ?? 'let in',
      );
    if (!method.requestStream && !method.responseStream) {
      client.makeUnaryRequest(path, write, read, request, deadline, (error) =>
        error === null ? resolve('let in') : said(error),
      );
      return;
    }
    const sends = method.requestStream
      ? client.makeBidiStreamRequest(path, write, read, deadline)
      : null;
    const call = sends ?? client.makeServerStreamRequest(path, write, read, request, deadline);
    call.on('error', said);
    call.on('data', () => {
      resolve('let in');
      call.cancel();
    });
    call.on('end', () => resolve('let in'));
    sends?.write(request);
    sends?.end();
  });
}

/** Methods of each service by outcome: one word where all are alike. */
async function outcomes(client: Client, request: object): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const [service, methods] of Object.entries(SERVICES)) {
    const found: Record<string, string[]> = {};
    for (const [name, method] of Object.entries(methods))
      (found[await outcome(client, method as Method, request)] ??= []).push(name);
    const words = Object.keys(found);
    all[service] = words.length === 1 ? words[0] : found;
  }
  return all;
}

const nobody = { Control: 'UNAVAILABLE', Peer: 'UNAVAILABLE', Health: 'UNAVAILABLE' };
const LOOKS = [
  'status',
  'explain',
  'history',
  'doctor',
  'servers',
  'show',
  'readConfig',
  'configVersions',
  'certificates',
  'events',
];

test('every method of every service, by everybody', async (t) => {
  const world = await createWorld(t);
  const tls = await world.tlsOf('haproxy01');
  const server = await serveWorld(t, world, { tls });
  const as = async (by: Issued | null, request = {}) =>
    outcomes(clientOf(t, server.address, world.ca.certPem, by), request);
  const uri = 'proxyctl://web/operator/anna/admin';
  const gone = await world.operator('gone', 'admin');
  const goneNode = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  tls.revoke(readCrls(await world.ca.crl([gone, goneNode], 1), tls.issuers()));
  const foreign = await createCa('web');
  const strangers: Record<string, Issued | null> = {
    'no certificate': null,
    'foreign operator': await foreign.issue([uri]),
    'foreign node': await foreign.issue(['proxyctl://web/node/haproxy02']),
    'expired operator': await world.ca.issue([uri], -1),
    'expired node': await world.ca.issue(['proxyctl://web/node/haproxy02'], -1),
    'revoked operator': gone,
    'revoked node': goneNode,
  };
  for (const [who, by] of Object.entries(strangers)) t.deepEqual(await as(by, full), nobody, who);

  const control = Object.keys(ControlService);
  const but = (...names: string[]) => control.filter((name) => !names.includes(name));
  const admins = ['checkConfig', 'pushConfig', 'rollbackCertificates', 'pushCertificates'];
  const viewer = await as(await world.operator('v', 'viewer'));
  t.deepEqual(viewer, {
    Control: { 'let in': but(...but(...LOOKS)), PERMISSION_DENIED: but(...LOOKS) },
    Peer: 'PERMISSION_DENIED',
    Health: 'let in',
  });
  const operator = await as(await world.operator('o', 'operator'));
  t.deepEqual(operator, {
    Control: { 'let in': but(...admins), PERMISSION_DENIED: but(...but(...admins)) },
    Peer: 'PERMISSION_DENIED',
    Health: 'let in',
  });
  const admin = await as(await world.operator('a', 'admin'));
  t.deepEqual(admin, { Control: 'let in', Peer: 'PERMISSION_DENIED', Health: 'let in' });
  const peer = await as(await world.ca.issue(['proxyctl://web/node/haproxy02']));
  t.deepEqual(peer, { Control: 'PERMISSION_DENIED', Peer: 'let in', Health: 'let in' });
  const other = await as(await world.ca.issue(['proxyctl://web/node/haproxy09']));
  const denied = 'PERMISSION_DENIED';
  t.deepEqual(other, { Control: denied, Peer: denied, Health: denied }, 'a node of elsewhere');
  const unnamed = await as(await world.ca.issue(['https://example.net/']));
  const who = 'UNAUTHENTICATED';
  t.deepEqual(unnamed, { Control: who, Peer: who, Health: who }, 'nobody of the pair');
});

/** Of one address so many lines a minute are written one by one. */
const IN_A_MINUTE = 10;

test('whoever is refused is told of once a call, with who and why and nothing of what was asked', async (t) => {
  const world = await createWorld(t);
  const tls = await world.tlsOf('haproxy01');
  const clock = new FakeClock();
  const server = await serveWorld(t, world, { tls, clock });
  const gone = await world.operator('gone', 'admin');
  tls.revoke(readCrls(await world.ca.crl([gone], 1), tls.issuers()));
  const callers: readonly (readonly [string, Issued])[] = [
    ['viewer', await world.operator('v', 'viewer')],
    ['operator', await world.operator('o', 'operator')],
    ['node of elsewhere', await world.ca.issue(['proxyctl://web/node/haproxy09'])],
    ['nobody of the pair', await world.ca.issue(['https://example.net/'])],
  ];
  const methods = Object.values(SERVICES).flatMap((service) => Object.values(service) as Method[]);
  const texts = (): string[] =>
    server.heard.items.flatMap((one) => (one.kind === 'refused' ? [one.text] : []));
  for (const [who, by] of callers) {
    const before = texts().length;
    let denied = 0;
    for (let at = 0; at < methods.length; at += IN_A_MINUTE) {
      const client = clientOf(t, server.address, world.ca.certPem, by);
      for (const method of methods.slice(at, at + IN_A_MINUTE))
        if ((await outcome(client, method, full)) !== 'let in') denied += 1;
      client.close();
      await clock.advance(60_000);
    }
    t.is(texts().length - before, denied, who);
    t.true(denied > 0, who);
  }
  const revoked = clientOf(t, server.address, world.ca.certPem, gone);
  t.is(await outcome(revoked, ControlService.status as unknown as Method, full), 'UNAVAILABLE');
  t.true(texts().some((text) => text.startsWith('connection: ')));
  t.deepEqual(
    texts().filter((text) => text.includes(CONTENT)),
    [],
  );
  // Who was let in with it as well: what an agent failed at is in its log.
  const failed = server.heard.items.filter(({ kind }) => kind === 'failed');
  t.deepEqual(
    failed.filter((one) => JSON.stringify(one).includes(CONTENT)),
    [],
  );
});

test('a limit calls each method as its refusals do', async (t) => {
  const world = await createWorld(t);
  const clock = new FakeClock();
  const named: Record<string, string> = {};
  let last = '';
  const audit = { ...NO_AUDIT, refused: ({ what }: AuditRefusal) => ((last = what), false) };
  const tls = await world.tlsOf('haproxy01');
  const server = await serveWorld(t, world, { tls, clock, audit });
  const stranger = await world.ca.issue(['https://example.net/']);
  const client = clientOf(t, server.address, world.ca.certPem, stranger);
  for (const service of Object.values(SERVICES))
    for (const [name, method] of Object.entries(service)) {
      last = 'nothing';
      await outcome(client, method as Method, {});
      named[name] = last;
    }
  t.deepEqual(
    Object.keys(named).map((name) => [name, calledAs(name)]),
    Object.entries(named),
  );
});

test('the page of security names every method of Control with the least role that is let in', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, { tls: await world.tlsOf('haproxy01') });
  const least: Record<string, string> = {};
  for (const role of ['admin', 'operator', 'viewer'] as const) {
    const client = clientOf(t, server.address, world.ca.certPem, await world.operator('o', role));
    for (const [name, method] of Object.entries(ControlService))
      if ((await outcome(client, method, {})) === 'let in') least[name] = role;
  }
  const page = readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| `(\w+)` \| (viewer|operator|admin) \|$/gm);
  t.deepEqual(Object.fromEntries([...rows].map(([, name, role]) => [name, role])), least);
});

import test from 'ava';
import { status as Code, type Client, type ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/grpc-js';
import { ControlService, HealthService, PeerService } from '../../proto/gen/services.ts';
import { readCrls } from '../../agent/rpc/crl.ts';
import { createCa, type Issued } from './certificates.ts';
import { clientOf, createWorld, serveWorld } from './world.ts';

type Method = MethodDefinition<object, object>;
const SERVICES = { Control: ControlService, Peer: PeerService, Health: HealthService };

/** How a call of this method with an empty request ends, or that it is let in. */
function outcome(client: Client, method: Method): Promise<string> {
  const { path, requestSerialize: write, responseDeserialize: read } = method;
  const deadline = { deadline: Date.now() + 20_000 };
  return new Promise((resolve) => {
    const said = (error: ServiceError): void =>
      resolve(
        ['UNAVAILABLE', 'UNAUTHENTICATED', 'PERMISSION_DENIED'].find(
          (word) => word === Code[error.code],
        ) ?? 'let in',
      );
    if (!method.requestStream && !method.responseStream) {
      client.makeUnaryRequest(path, write, read, {}, deadline, (error) =>
        error === null ? resolve('let in') : said(error),
      );
      return;
    }
    const sends = method.requestStream
      ? client.makeBidiStreamRequest(path, write, read, deadline)
      : null;
    const call = sends ?? client.makeServerStreamRequest(path, write, read, {}, deadline);
    call.on('error', said);
    call.on('data', () => {
      resolve('let in');
      call.cancel();
    });
    call.on('end', () => resolve('let in'));
    sends?.write({});
    sends?.end();
  });
}

/** Methods of each service by outcome: one word where all are alike. */
async function outcomes(client: Client): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const [service, methods] of Object.entries(SERVICES)) {
    const found: Record<string, string[]> = {};
    for (const [name, method] of Object.entries(methods))
      (found[await outcome(client, method as Method)] ??= []).push(name);
    const words = Object.keys(found);
    all[service] = words.length === 1 ? words[0] : found;
  }
  return all;
}

const nobody = { Control: 'UNAVAILABLE', Peer: 'UNAVAILABLE', Health: 'UNAVAILABLE' };
const LOOKS = ['status', 'explain', 'history', 'doctor', 'servers', 'show', 'certificates'];

test('every method of every service, by everybody', async (t) => {
  const world = await createWorld(t);
  const tls = await world.tlsOf('haproxy01');
  const server = await serveWorld(t, world, { tls });
  const as = async (by: Issued | null) =>
    outcomes(clientOf(t, server.address, world.ca.certPem, by));
  const uri = 'proxyctl://web/operator/anna/admin';
  const gone = await world.operator('gone', 'admin');
  const goneNode = await world.ca.issue(['proxyctl://web/node/haproxy02']);
  tls.revoke(readCrls(await world.ca.crl([gone, goneNode], 1), tls.issuers()));
  t.deepEqual(await as(null), nobody, 'no certificate');
  t.deepEqual(await as(await (await createCa('web')).issue([uri])), nobody, 'foreign');
  t.deepEqual(await as(await world.ca.issue([uri], -1)), nobody, 'expired');
  t.deepEqual(await as(gone), nobody, 'revoked operator');
  t.deepEqual(await as(goneNode), nobody, 'revoked node');

  const control = Object.keys(ControlService);
  const but = (...names: string[]) => control.filter((name) => !names.includes(name));
  const admins = ['rollbackCertificates', 'pushCertificates'];
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

import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import test from 'ava';
import { status as Code, type Client, type ServiceError } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import { HealthService } from '../../proto/gen/services.ts';
import { CrlError, readCrls } from '../../agent/rpc/crl.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import { FakeClock } from '../fake-clock.ts';
import { createCa, type Issued } from './certificates.ts';
import { askStatus, clientOf, createWorld, serveWorld, type World } from './world.ts';

const DAY_MS = 86_400_000;

/** A bare TLS client that says HTTP/2's first words; `session` is a ticket of an earlier one. */
async function shake(
  t: ExecutionContext,
  address: string,
  { certPem: cert, keyPem: key }: Issued,
  session?: Buffer,
): Promise<{ readonly socket: TLSSocket; readonly ticket: Buffer | undefined }> {
  const [host, port] = address.split(':');
  const socket = connect({
    host,
    port: Number(port),
    cert,
    key,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...(session === undefined ? {} : { session }),
  });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  let ticket: Buffer | undefined;
  socket.on('session', (one: Buffer) => (ticket = one));
  await once(socket, 'secureConnect');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(Buffer.from('000000040000000000', 'hex'));
  // Tickets come before the server's first words.
  await once(socket, 'data');
  return { socket, ticket };
}

/** A server whose clock the test moves, and its TLS. */
async function timed(t: ExecutionContext, world: World) {
  const clock = new FakeClock({ wallMs: Date.now() });
  const issued = await world.ca.issue(['proxyctl://web/node/haproxy01'], 20);
  const paths = world.write('haproxy01', issued);
  const tls = createTls(paths, 'web', 'haproxy01', clock);
  const server = await serveWorld(t, world, { tls });
  const client = (by: Issued) => clientOf(t, server.address, world.ca.certPem, by);
  return { clock, tls, server, client };
}

/** A stream that stays open, and how it ended. */
async function stream(client: Client): Promise<{ readonly ended: Promise<string> }> {
  const { path, requestSerialize, responseDeserialize } = HealthService.watch;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {});
  const ended = new Promise<string>((resolve) => {
    call.on('error', (error: ServiceError) => resolve(Code[error.code] ?? ''));
    call.on('end', () => resolve('end'));
  });
  await once(call, 'data');
  return { ended };
}

const answerOf = (answer: string | ServiceError): string =>
  typeof answer === 'string' ? answer : (Code[answer.code] ?? '');

test('a ticket resumes no session: every connection shows its certificate anew', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const anna = await world.operator('anna', 'viewer');
  const first = await shake(t, server.address, anna);
  t.false(first.socket.isSessionReused());
  const second = await shake(t, server.address, anna, first.ticket);
  t.false(second.socket.isSessionReused());
});

test('what a certificate opened ends with it, streams too, and others go on', async (t) => {
  const world = await createWorld(t);
  const { clock, server, client } = await timed(t, world);
  const short = await world.ca.issue(['proxyctl://web/operator/anna/viewer'], 1);
  const long = client(await world.operator('ben', 'viewer'));
  const [hers, his] = [await stream(client(short)), await stream(long)];
  await clock.advance(DAY_MS - 1000);
  t.is(answerOf(await askStatus(client(short))), 'haproxy01');
  await clock.advance(1500);
  t.is(await hers.ended, 'UNAVAILABLE');
  t.is(answerOf(await askStatus(client(short))), 'UNAVAILABLE');
  t.is(answerOf(await askStatus(long)), 'haproxy01');
  const refused = server.heard.items.flatMap((one) => (one.kind === 'refused' ? [one.text] : []));
  t.deepEqual([...new Set(refused)], ['connection: its certificate has expired']);
  t.is(await Promise.race([his.ended, Promise.resolve('open')]), 'open');
});

test('a revoked certificate is out at once, streams too, and its successor is in', async (t) => {
  const world = await createWorld(t);
  const { tls, client } = await timed(t, world);
  const anna = await world.operator('anna', 'admin');
  const ben = client(await world.operator('ben', 'viewer'));
  const hers = await stream(client(anna));
  const his = await stream(ben);
  tls.revoke(readCrls(await world.ca.crl([anna], 1), tls.issuers()));
  t.is(await hers.ended, 'UNAVAILABLE');
  t.is(answerOf(await askStatus(client(anna))), 'UNAVAILABLE');
  t.is(answerOf(await askStatus(client(await world.operator('anna', 'admin')))), 'haproxy01');
  t.is(answerOf(await askStatus(ben)), 'haproxy01');
  t.is(await Promise.race([his.ended, Promise.resolve('open')]), 'open');
  const both = readCrls(await world.ca.crl([], 2), tls.issuers());
  tls.revoke(both);
  t.is(answerOf(await askStatus(client(anna))), 'haproxy01', 'the newest list is the whole truth');
});

test('another CA and a reload cut what the old one vouched for; both together cut nobody', async (t) => {
  const world = await createWorld(t);
  const { tls, client, server } = await timed(t, world);
  const other = await createCa('web');
  const names = ['proxyctl://web/node/haproxy01'];
  const old = client(await world.operator('anna', 'viewer'));
  const hers = await stream(old);

  const bundle = { ...other, certPem: `${world.ca.certPem}\n${other.certPem}` };
  world.write('haproxy01', await other.issue(names), bundle);
  tls.reload();
  const theirs = await other.issue(['proxyctl://web/operator/anna/viewer']);
  const renewed = clientOf(t, server.address, other.certPem, theirs);
  const his = await stream(renewed);
  t.is(answerOf(await askStatus(old)), 'haproxy01');

  world.write('haproxy01', await other.issue(names), other);
  tls.reload();
  t.is(await hers.ended, 'UNAVAILABLE');
  t.is(await Promise.race([his.ended, Promise.resolve('open')]), 'open');
  t.is(answerOf(await askStatus(renewed)), 'haproxy01');
});

test('a list counts by its signature and its number, and whole', async (t) => {
  const world = await createWorld(t);
  const tls = await world.tlsOf('haproxy01');
  const anna = await world.operator('anna', 'admin');
  const list = await world.ca.crl([anna], 7);
  const other = await (await createCa('web')).crl([anna], 9);
  const read = (text: string) => readCrls(text, tls.issuers());
  const [one] = read(list);
  t.deepEqual([one?.number, one?.serials.size, one?.pem], [7n, 1, list]);
  t.deepEqual(read(other), []);
  t.deepEqual(
    read(`${other}${list}${await world.ca.crl([], 8)}`).map(({ number }) => number),
    [8n],
  );
  const der = Buffer.from(list.replaceAll(/-----.*-----|\s/g, ''), 'base64');
  const pem = (bytes: Buffer) =>
    `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----\n`;
  for (let at = 0; at < der.length; at++) {
    const bent = Buffer.from(der);
    bent[at] = (bent[at] ?? 0) ^ 0x20;
    let lists: unknown[] = [];
    try {
      lists = read(pem(bent));
    } catch (error) {
      t.true(error instanceof CrlError, String(error));
    }
    t.deepEqual(lists, [], `byte ${at}`);
    t.throws(() => read(pem(der.subarray(0, at))), { instanceOf: CrlError });
  }
  t.throws(() => read(''), { message: 'there is no PEM revocation list in it' });
  t.throws(() => read('x'.repeat(2 << 20)), { message: 'the list is longer than 1 MB' });
});

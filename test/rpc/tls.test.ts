import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { createTls } from '../../agent/rpc/tls.ts';
import { readTls } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { createCa } from './certificates.ts';
import { askStatus, clientOf, createWorld } from './world.ts';
import { serveWorld } from './world.ts';

const codeOf = (answer: string | ServiceError): string =>
  typeof answer === 'string' ? answer : (Code[answer.code] ?? 'none');

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
  t.is(codeOf(await askStatus(old)), 'UNAVAILABLE', 'what the first CA vouched for is cut');
  t.true(tls.own().notAfterWallMs < Date.now() + 4 * 86_400_000);
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

import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { readCrls } from '../../agent/rpc/crl.ts';
import { setupWorld, type SetupWorld } from './world.ts';

const init = async (world: SetupWorld): Promise<void> => {
  await world.run('pki', 'init', '--pair', 'web');
};
const leaf = (world: SetupWorld, file: string) => new X509Certificate(world.read(file));
const cas = (world: SetupWorld) =>
  (world.read('pki/ca.pem').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
const serialsOn = (world: SetupWorld): string[] =>
  readCrls(world.read('pki/crl.pem'), cas(world))
    .flatMap(({ serials }) => [...serials])
    .sort();

test('revoke puts every certificate of a name on the list, renewed ones too, and hands out none again', async (t) => {
  const world = setupWorld(t);
  await init(world);
  await world.run('pki', 'issue', 'operator', 'ben', '--role', 'viewer');
  const serials: string[] = [];
  for (let times = 0; times < 3; times++) {
    await world.run('pki', 'issue', 'operator', 'anna', '--role', 'admin');
    serials.push(leaf(world, 'pki/issued/operator-anna.pem').serialNumber);
  }
  const key = world.read('pki/issued/operator-anna.key');
  const { code, stderr } = await world.run('pki', 'revoke', 'anna', '--offline');
  t.is(code, 0, stderr);
  t.regex(stderr, /^3 certificates of anna revoked, list \d+ in \S+crl\.pem\n$/);
  t.deepEqual(serialsOn(world), serials.sort());
  t.false(existsSync(world.at('pki/issued/operator-anna.pem')));
  await world.run('pki', 'issue', 'operator', 'anna', '--role', 'admin');
  t.not(world.read('pki/issued/operator-anna.key'), key);
  const again = await world.run('pki', 'revoke', 'ben', '--offline');
  t.is(again.code, 0, again.stderr);
  t.is(serialsOn(world).length, 4);
  const stranger = await world.run('pki', 'revoke', 'eve', '--offline');
  t.deepEqual(
    [stranger.code, stranger.stderr.split('\n')[0]],
    [8, 'proxyctl: nothing was issued for eve'],
  );
});

test('a list that reaches no agent is written all the same, and the failure says so', async (t) => {
  const world = setupWorld(t);
  await init(world);
  await world.run('pki', 'issue', 'operator', 'anna', '--role', 'admin');
  const { code, stderr } = await world.run('pki', 'revoke', 'anna');
  t.is(code, 2);
  t.regex(stderr, /^1 certificate of anna revoked, list \d+ in \S+\n[^]*no context is configured/);
  t.is(serialsOn(world).length, 1);
});

test('renew makes new keys, and keeps them where told', async (t) => {
  const world = setupWorld(t);
  await init(world);
  await world.run('pki', 'issue', 'node', 'n');
  await world.run('pki', 'issue', 'operator', 'anna', '--role', 'admin');
  const read = () => world.read('pki/issued/node-n.key');
  const first = read();
  t.is((await world.run('pki', 'renew', 'n', '--keep-key')).code, 0);
  t.is(read(), first);
  const { code, stdout } = await world.run('pki', 'renew', '--all', '--days', '1', '--json');
  const { result } = JSON.parse(stdout) as { result: { certificates: { name: string }[] } };
  t.deepEqual([code, result.certificates.map(({ name }) => name)], [0, ['n', 'anna']]);
  t.not(read(), first);
  const { validTo, subjectAltName } = leaf(world, 'pki/issued/operator-anna.pem');
  t.is(subjectAltName, 'URI:proxyctl://web/operator/anna/admin');
  t.true(Date.parse(validTo) < Date.now() + 86_400_000 + 1000);
});

test('a CA is replaced in three steps; each needs the one before, and twice is once', async (t) => {
  const world = setupWorld(t);
  await init(world);
  await world.run('pki', 'issue', 'node', 'n');
  const step = async (name: string, ...more: string[]) =>
    (await world.run('pki', 'rotate-ca', name, ...more)).code;
  const old = leaf(world, 'pki/ca.pem');
  t.deepEqual([await step('finish'), await step('issue'), await step('sideways')], [9, 9, 2]);
  t.deepEqual([await step('begin'), await step('begin'), await step('finish')], [0, 0, 9]);
  t.deepEqual([cas(world).length, leaf(world, 'pki/ca.pem').raw.equals(old.raw)], [2, true]);
  await world.run('pki', 'issue', 'operator', 'anna', '--role', 'viewer');
  t.true(leaf(world, 'pki/issued/operator-anna.pem').verify(old.publicKey));
  t.deepEqual([await step('issue'), await step('issue'), await step('begin')], [0, 0, 9]);
  const [signing] = cas(world);
  for (const name of ['node-n', 'operator-anna'])
    t.true(leaf(world, `pki/issued/${name}.pem`).verify((signing ?? old).publicKey), name);
  // Until the old CA is out, what it has issued can still be taken back.
  t.is((await world.run('pki', 'revoke', 'anna', '--offline')).code, 0);
  t.is(serialsOn(world).length, 2);
  t.is(await step('finish'), 0);
  t.deepEqual(cas(world).length, 1);
  t.false(cas(world)[0]?.raw.equals(old.raw));
  t.false(existsSync(world.at('pki/old.key')));
});

test('a key is born where it is used, and its request is approved once, by its token', async (t) => {
  const world = setupWorld(t);
  await init(world);
  const { code, stdout } = await world.run('pki', 'enroll', 'operator', 'anna', '--pair', 'web');
  t.is(code, 0);
  const token = /^token: (\w{4}-\w{4}-\w{4}-\w{4})$/m.exec(stdout)?.[1] ?? '';
  t.is(statSync(world.at('anna.key')).mode & 0o777, 0o600);
  const approve = (...more: string[]) =>
    world.run('pki', 'approve', 'anna.csr', '--out', 'back', '--role', 'operator', ...more);
  const guessed = await approve('--token', 'AAAA-AAAA-AAAA-AAAA');
  t.deepEqual([guessed.code, existsSync(world.at('back'))], [4, false]);
  const done = await approve('--token', token.toLowerCase());
  t.is(done.code, 0, done.stderr);
  const issued = leaf(world, 'back/anna.pem');
  t.true(issued.checkPrivateKey(createPrivateKey(world.read('anna.key'))));
  t.is(issued.subjectAltName, 'URI:proxyctl://web/operator/anna/operator');
  t.false(existsSync(world.at('pki/issued/operator-anna.key')));
  t.is((await approve('--token', token)).code, 9, 'a token is good once');
  t.is((await world.run('pki', 'enroll', 'operator', 'anna', '--pair', 'web')).code, 9);
  const renewal = await world.run('pki', 'renew', 'anna');
  t.regex(renewal.stderr, /^proxyctl: the key of anna is not here\n/);
  writeFileSync(world.at('bent.csr'), world.read('anna.csr').replace(/M/, 'N'));
  const bent = await world.run('pki', 'approve', 'bent.csr', '--token', token, '--role', 'viewer');
  t.not(bent.code, 0);
  t.is((await world.run('pki', 'revoke', 'anna', '--offline')).code, 0);
  t.deepEqual(serialsOn(world), [issued.serialNumber]);
});

test('a request of another pair gets nothing, nor does a node with a passphrase', async (t) => {
  const world = setupWorld(t);
  await init(world);
  const { stdout } = await world.run('pki', 'enroll', 'node', 'n', '--pair', 'mail');
  const token = /^token: (\S+)$/m.exec(stdout)?.[1] ?? '';
  const { code, stderr } = await world.run('pki', 'approve', 'node.csr', '--token', token);
  t.deepEqual(
    [code, stderr.split('\n')[0]],
    [2, 'proxyctl: the request is for the pair mail, not web'],
  );
  t.is((await world.run('pki', 'issue', 'node', 'n', '--passphrase')).code, 2);
});

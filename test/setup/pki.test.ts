import { X509Certificate } from 'node:crypto';
import { chmodSync, statSync } from 'node:fs';
import test from 'ava';
import { setupWorld, type SetupWorld } from './world.ts';

const init = (world: SetupWorld) => world.run('pki', 'init', '--pair', 'web');
const leaf = (world: SetupWorld, file: string) => new X509Certificate(world.read(file));

test('a CA, a node and operators of every role: names in the URI alone, keys 0600', async (t) => {
  const world = setupWorld(t);
  t.is((await init(world)).code, 0);
  t.is((await world.run('pki', 'issue', 'node', 'haproxy01')).code, 0);
  for (const role of ['viewer', 'operator', 'admin'])
    t.is((await world.run('pki', 'issue', 'operator', `o-${role}`, '--role', role)).code, 0);
  const ca = leaf(world, 'pki/ca.pem');
  const files = ['node-haproxy01', 'operator-o-viewer', 'operator-o-operator', 'operator-o-admin'];
  const issued = files.map((name) => leaf(world, `pki/issued/${name}.pem`));
  t.deepEqual(
    issued.map((one) => [
      one.subjectAltName,
      one.ca,
      one.checkIssued(ca),
      one.verify(ca.publicKey),
    ]),
    [
      ['URI:proxyctl://web/node/haproxy01', false, true, true],
      ['URI:proxyctl://web/operator/o-viewer/viewer', false, true, true],
      ['URI:proxyctl://web/operator/o-operator/operator', false, true, true],
      ['URI:proxyctl://web/operator/o-admin/admin', false, true, true],
    ],
  );
  const modes = ['ca', ...files.map((name) => `issued/${name}`)].map(
    (name) => statSync(world.at(`pki/${name}.key`)).mode & 0o777,
  );
  t.deepEqual([...new Set(modes)], [0o600]);
  t.is(statSync(world.at('pki')).mode & 0o777, 0o700);
});

test('a second CA is refused, and the first one is as it was', async (t) => {
  const world = setupWorld(t);
  await init(world);
  const before = [world.read('pki/ca.key'), world.read('pki/ca.pem')];
  const { code, stderr } = await init(world);
  t.is(code, 1);
  t.regex(
    stderr,
    /^proxyctl: \S+\/pki\/ca\.key is there already\n {2}cause {3}a new CA would make/,
  );
  t.deepEqual([world.read('pki/ca.key'), world.read('pki/ca.pem')], before);
});

test('a key that others can read issues nothing', async (t) => {
  const world = setupWorld(t);
  await init(world);
  chmodSync(world.at('pki/ca.key'), 0o640);
  const { code, stderr } = await world.run('pki', 'issue', 'node', 'haproxy01');
  t.is(code, 1);
  t.regex(stderr, /ca\.key is open to others\n {2}cause {3}its mode is 0640\n {2}do {6}chmod 600 /);
});

test('issued again it is a renewal with the same key; --new-key makes another', async (t) => {
  const world = setupWorld(t);
  await init(world);
  const read = () => ['key', 'pem'].map((end) => world.read(`pki/issued/node-n.${end}`));
  await world.run('pki', 'issue', 'node', 'n', '--days', '5');
  const [key, first] = read();
  await world.run('pki', 'issue', 'node', 'n');
  const [same, second] = read();
  t.deepEqual([same === key, second === first], [true, false]);
  await world.run('pki', 'issue', 'node', 'n', '--new-key');
  t.not(read()[0], same);
  t.is((await world.run('pki', 'issue', 'node', 'n', '--out', 'tls')).code, 0);
  t.deepEqual([world.read('tls/node.key')], read().slice(0, 1));
  t.is(world.read('tls/ca.pem'), world.read('pki/ca.pem'));
});

test('the list shows who, which role and until when', async (t) => {
  const world = setupWorld(t);
  await init(world);
  await world.run('pki', 'issue', 'node', 'haproxy01', '--days', '5');
  await world.run('pki', 'issue', 'operator', 'anna', '--role', 'admin');
  const { code, stdout } = await world.run('pki', 'list');
  t.is(code, 0);
  t.is(
    stdout.replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE'),
    `KIND      NAME       ROLE   ENDS        LEFT
ca        web               DATE  3649 d
node      haproxy01         DATE  4 d: issue it again
operator  anna       admin  DATE  396 d
`,
  );
  const json = JSON.parse((await world.run('pki', 'list', '--json')).stdout) as {
    result: { certificates: { name: string; role: string | null }[] };
  };
  t.deepEqual(
    json.result.certificates.map(({ name, role }) => [name, role]),
    [
      ['web', null],
      ['haproxy01', null],
      ['anna', 'admin'],
    ],
  );
});

const MISTAKES: readonly (readonly [string, string])[] = [
  ['issue operator anna', 'an operator needs a role'],
  ['issue node n --role admin', 'a node has no role'],
  ['issue laptop anna', '"laptop" is no holder of a certificate'],
  ['issue node ../../etc/passwd', '"../../etc/passwd" is no name of a node'],
  ['issue operator anna --role root', "option '--role <ROLE>' argument 'root' is invalid"],
  ['issue node n --days 9000', "option '--days <DAYS>' argument '9000' is invalid"],
  ['init', "required option '--pair <NAME>' not specified"],
];

test('mistakes are 2 and issue nothing', async (t) => {
  const world = setupWorld(t);
  await init(world);
  for (const [line, message] of MISTAKES) {
    const { code, stderr } = await world.run('pki', ...line.split(' '));
    t.deepEqual([line, code, stderr.includes(`proxyctl: ${message}`)], [line, 2, true], stderr);
  }
  t.is((await world.run('pki', 'list')).stdout.split('\n').length, 3);
});

import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createCa, type Ca } from '../rpc/certificates.ts';
import type { TestServer, World } from '../rpc/world.ts';
import { desk, envelope, steady } from './command.ts';
import { statusOf } from './statuses.ts';

const YEAR = /\d{4}-\d{2}-\d{2}/g;
const said = (text: string): string =>
  text
    .replaceAll(YEAR, 'DAY')
    .replaceAll(/version unknown|\d+\.\d+\.\d+(?=, )/g, 'VERSION')
    .replaceAll(/\d+ ms/g, 'N ms');

/** A desk without a config.toml, and what setup makes for anna. */
async function fresh(t: ExecutionContext, role = 'admin') {
  let server: TestServer | null = null;
  const own = await desk(t, { status: () => Promise.resolve(statusOf()) }, (_world, made) => {
    server = made;
    return '';
  });
  rmSync(own.config);
  const { address } = server as unknown as TestServer;
  const folder = await handed(own.world, own.world.ca, 'anna', role);
  const toml = (agents: string): void =>
    writeFileSync(
      join(folder, 'config.toml'),
      `current = "web"\n[contexts."web"]\nagents = { ${agents} }\nca = "web/ca.pem"\ncert = "web/anna.pem"\nkey = "web/anna.key"\n`,
    );
  toml(`haproxy01 = ["${address}"]`);
  const run = async (...args: string[]) => {
    const ended = steady(await own.run(args), own.world);
    return { code: ended.code, stdout: said(ended.stdout), stderr: said(ended.stderr) };
  };
  return { ...own, run, raw: own.run, address, folder, toml };
}

/** operators/NAME as setup makes it, without its config.toml. */
async function handed(world: World, ca: Ca, name: string, role: string): Promise<string> {
  const folder = join(world.folder, `operators-${name}`);
  mkdirSync(join(folder, 'web'), { recursive: true });
  const issued = await ca.issue([`proxyctl://web/operator/${name}/${role}`]);
  writeFileSync(join(folder, 'web/ca.pem'), ca.certPem);
  writeFileSync(join(folder, `web/${name}.pem`), issued.certPem);
  writeFileSync(join(folder, `web/${name}.key`), issued.keyPem, { mode: 0o600 });
  return folder;
}

test('without a context the remedy is the import, and no file of the repository', async (t) => {
  const { run } = await fresh(t);
  const { code, stderr } = await run('status', '--context', 'elsewhere');
  t.is(code, 2);
  const { stderr: none } = await run('context', 'show');
  for (const text of [stderr, none]) t.notRegex(text, /docs\//);
});

test('import takes the folder of setup, asks every agent, and the next command works', async (t) => {
  const { run, folder, config, world } = await fresh(t);
  t.deepEqual(await run('context', 'import', folder), {
    code: 0,
    stdout: `context web: admin anna, until DAY, in DIR/config.toml

haproxy01  127.0.0.1:PORT  answers, VERSION, N ms
`,
    stderr: '',
  });
  rmSync(folder, { recursive: true });
  t.is((await run('status')).code, 0);
  const mode = (path: string): number => statSync(path).mode & 0o777;
  t.deepEqual(
    [config, 'web', 'web/anna.key', 'web/anna.pem'].map((path) =>
      mode(path === config ? path : join(world.folder, path)),
    ),
    [0o600, 0o700, 0o600, 0o644],
  );
});

test('each address of an agent that does not answer is named, with why: 6, and it is imported', async (t) => {
  const { run, folder, toml, address } = await fresh(t);
  toml(`haproxy01 = ["${address}", "127.0.0.1:1"], haproxy02 = "127.0.0.1:1"`);
  t.deepEqual(await run('context', 'import', folder), {
    code: 6,
    stdout: `context web: admin anna, until DAY, in DIR/config.toml

haproxy01  127.0.0.1:PORT  answers, VERSION, N ms
haproxy01  127.0.0.1:PORT  nobody listens on 127.0.0.1:PORT
haproxy02  127.0.0.1:PORT  nobody listens on 127.0.0.1:PORT
`,
    stderr: '',
  });
  t.is((await run('status')).code, 0);
  toml('haproxy02 = "127.0.0.1:1"');
  t.is((await run('context', 'import', folder)).code, 10);
});

test('the folder of pki has no addresses: they are asked for, and kept at the next import', async (t) => {
  const { run, folder, address, world } = await fresh(t);
  const bare = join(folder, 'web');
  t.deepEqual(await run('context', 'import', bare), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: DIR/operators-anna/web does not say where the agents are
  do      add --agent NODE=IP:PORT for each of them, like --agent haproxy01=10.1.60.201:7660
`.replace('for each of them, like', 'for each of them, like'),
  });
  t.is((await run('context', 'import', bare, '--agent', `haproxy01=${address}`)).code, 0);
  const renewed = await world.ca.issue(['proxyctl://web/operator/anna/viewer']);
  writeFileSync(join(bare, 'anna.pem'), renewed.certPem);
  writeFileSync(join(bare, 'anna.key'), renewed.keyPem);
  const again = await run('context', 'import', bare);
  t.is(again.code, 0);
  t.regex(again.stdout, /^context web: viewer anna/);
});

test('a remark in config.toml outlives every change, and another pair of the same name is refused', async (t) => {
  const { run, folder, config, world, toml } = await fresh(t);
  const mine = `# mine\ncurrent = "lab"\n\n[contexts.lab] # the lab\nsocket = "a.sock"\n`;
  writeFileSync(config, mine);
  await run('context', 'import', folder);
  t.true(readFileSync(config, 'utf8').startsWith(mine));
  t.is((await run('context', 'use', 'web')).stdout, 'context web: current, in DIR/config.toml\n');
  t.deepEqual(await run('context', 'remove', 'lab'), {
    code: 0,
    stdout: 'context lab: removed, in DIR/config.toml\n',
    stderr: '',
  });
  t.true(readFileSync(config, 'utf8').startsWith('# mine\ncurrent = "web"\n'));
  const strangers = await createCa('strangers');
  const other = await handed(world, strangers, 'berta', 'admin');
  const before = readFileSync(config, 'utf8');
  const refused = await run('context', 'import', join(other, 'web'), '--agent', 'x=10.0.0.1:1');
  t.deepEqual([refused.code, readFileSync(config, 'utf8')], [9, before]);
  t.regex(refused.stderr, /has a context web of another CA/);
  toml('haproxy02 = "127.0.0.1:1"');
  const named = await run('context', 'import', folder, '--name', 'second');
  t.is(named.code, 10);
  t.regex(named.stderr, /proxyctl context use second makes it the current one/);
});

test('what does not belong together is refused, and nothing is written', async (t) => {
  const { run, folder, world, config } = await fresh(t);
  const strangers = await createCa('strangers');
  const wrong: [string, string, RegExp][] = [
    ['ca.pem', strangers.certPem, /is not from the CA in/],
    ['anna.key', (await world.operator('anna', 'admin')).keyPem, /does not belong to/],
    ['anna.key', 'no key', /is no private key/],
    ['anna.pem', (await world.ca.issue(['proxyctl://web/node/haproxy01'])).certPem, /of node/],
    ['anna.pem', 'x', /is no certificate/],
  ];
  for (const [file, text, pattern] of wrong) {
    const path = join(folder, 'web', file);
    const before = readFileSync(path);
    writeFileSync(path, text);
    const { code, stderr } = await run('context', 'import', folder);
    t.deepEqual(
      [code, existsSync(config), existsSync(join(world.folder, 'web'))],
      [2, false, false],
    );
    t.regex(stderr, pattern);
    writeFileSync(path, before);
  }
  t.regex((await run('context', 'import', join(folder, 'none'))).stderr, /there is no DIR/);
});

test('a key that others could read is copied as 0600, and that is said', async (t) => {
  const { run, folder } = await fresh(t);
  const key = join(folder, 'web/anna.key');
  const pem = readFileSync(key);
  rmSync(key);
  writeFileSync(key, pem, { mode: 0o644 });
  const { code, stderr } = await run('context', 'import', folder);
  t.is(code, 0);
  t.regex(stderr, /the mode of anna.key was 0644/);
});

test('a context by hand, shown, and its JSON', async (t) => {
  const { run, raw, folder, address } = await fresh(t);
  const at = (file: string): string => join(folder, 'web', file);
  const files = ['--ca', at('ca.pem'), '--cert', at('anna.pem'), '--key', at('anna.key')];
  const add = ['context', 'add', 'mine', '--agent', `haproxy01=${address},[::1]:7660`];
  t.is((await run(...add)).code, 2);
  t.is((await run(...add, ...files)).stdout, 'context mine: added, in DIR/config.toml\n');
  t.is((await run(...add, ...files)).code, 2);
  t.deepEqual(await run('context', 'show'), {
    code: 0,
    stdout: `context   mine, the current one
file      DIR/config.toml
agent     haproxy01 127.0.0.1:PORT
agent     haproxy01 [::1]:7660
you       admin anna, until DAY
ca        DIR/operators-anna/web/ca.pem
cert      DIR/operators-anna/web/anna.pem
key       DIR/operators-anna/web/anna.key
`,
    stderr: '',
  });
  t.like(envelope((await raw(['context', 'use', 'mine', '--json'])).stdout), {
    verb: 'context use',
    ok: true,
    changed: false,
    result: { name: 'mine', current: true },
  });
  t.like(envelope((await raw(['context', 'import', folder, '--json'])).stdout), {
    verb: 'context import',
    ok: true,
    changed: true,
    nodes: [{ node: 'haproxy01', ok: true, changed: false }],
  });
  t.regex((await run('context', 'use', 'mien')).stderr, /did you mean mine\?/);
});

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { eventually } from '../record.ts';
import { unpack } from './unpacked.ts';

const { root, at, run, remove } = unpack();
test.after.always(remove);
const asRoot = process.getuid?.() === 0 ? test : test.skip;

interface Written {
  readonly folder: string;
  readonly config: string;
  readonly socket: string;
  readonly log: string;
}

/** agent.toml of haproxy01 in a folder of its own; `changes` replaces lines by their key. */
function written(changes: Readonly<Record<string, string>> = {}): Written {
  const folder = mkdtempSync(join(root, 'host-'));
  chmodSync(folder, 0o755);
  const socket = join(folder, 'agent.sock');
  const log = join(folder, 'log');
  const keys = {
    node: '"haproxy01"',
    listen: '[]',
    user: '"root"',
    state: `"${folder}/state"`,
    socket: `{ path = "${socket}", group = "root" }`,
    log: `{ file = "${log}" }`,
    tls: `{ ca = "${folder}/ca.pem", cert = "${folder}/node.pem", key = "${folder}/node.key" }`,
    carp: `{ devd = "", tools = { ifconfig = "/bin/true", sysctl = "/bin/true", kldstat = "/bin/true", netstat = "/bin/true" } }`,
    haproxy: `{ config = "${folder}/haproxy.conf", socket = "${folder}/haproxy.sock" }`,
    ...changes,
  };
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${value}`);
  const config = join(folder, 'agent.toml');
  const peer = '[[peer]]\nnode = "haproxy02"\naddress = ["127.0.0.1:9"]\n';
  writeFileSync(config, `${lines.join('\n')}\n${peer}`);
  return { folder, config, socket, log };
}

// Of haproxy01, made once by the package's own proxyctl.
const made = mkdtempSync(join(root, 'pki-'));
const dir = ['--dir', join(made, 'pki')];
for (const args of [
  ['pki', 'init', '--pair', 'pair', ...dir],
  ['pki', 'issue', 'node', 'haproxy01', '--out', made, ...dir],
]) {
  const { code, stderr } = run('bin/proxyctl', args);
  if (code !== 0) throw new Error(stderr);
}

/** The three files of haproxy01 beside its agent.toml. */
function issued(folder: string): void {
  for (const name of ['ca.pem', 'node.pem', 'node.key'])
    copyFileSync(join(made, name), join(folder, name));
}

const agent = (config: string, ...more: readonly string[]) =>
  run('sbin/proxyagent', ['--config', config, ...more]);

test('setup and pki of the package do without agent and network', (t) => {
  const example = run('bin/proxyctl', ['setup', '--example']);
  t.deepEqual([example.code, example.stderr], [0, '']);
  const folder = mkdtempSync(join(root, 'setup-'));
  const answers = join(folder, 'answers.toml');
  writeFileSync(answers, example.stdout);
  const out = join(folder, 'web');
  const wrote = run('bin/proxyctl', ['setup', answers, '--out', out]);
  t.deepEqual([wrote.code, existsSync(join(out, 'pki/ca.pem'))], [0, true], wrote.stderr);
  const list = run('bin/proxyctl', ['pki', 'list', '--dir', join(out, 'pki')]);
  t.regex(list.stdout, /haproxy01/);
});

test('the first start without TLS files says what is missing and who makes it', (t) => {
  const { folder, config } = written();
  const said = {
    code: 1,
    stdout: '',
    stderr: `proxyagent: ${folder}/ca.pem: no such file\n  do      \`proxyctl pki\` issues certificates\n`,
  };
  t.deepEqual(agent(config), said);
  t.deepEqual(agent(config, '--check-start'), said);
  t.is(agent(config, '--check').code, 0);
});

test('a key that others can read, and a certificate of another node, are told with the remedy', (t) => {
  const { folder, config } = written();
  issued(folder);
  chmodSync(join(folder, 'node.key'), 0o644);
  t.deepEqual(agent(config).stderr.split('\n').slice(0, 2), [
    `proxyagent: ${folder}/node.key: can be read by others`,
    `  do      chmod o= ${folder}/node.key`,
  ]);
  chmodSync(join(folder, 'node.key'), 0o600);
  t.deepEqual(agent(config, '--check-start'), {
    code: 0,
    stdout: `${config}: good\n`,
    stderr: '',
  });
  const other = join(folder, 'other.toml');
  writeFileSync(other, readFileSync(config, 'utf8').replace('haproxy01', 'haproxy09'));
  t.regex(
    agent(other).stderr,
    /belongs to haproxy01, not to node haproxy09\n {2}do {6}it must name/,
  );
});

test('without agent.toml, and with a user that is not there, it does not start and says so', (t) => {
  const { config } = written({ user: '"no-such-user"' });
  t.deepEqual(agent(`${config}.none`), {
    code: 2,
    stdout: '',
    stderr: `${config}.none:1:1: cannot be read (no such file); name another with --config\n`,
  });
  if (process.getuid?.() !== 0) return;
  for (const args of [[], ['--check-start']]) {
    const { code, stderr } = agent(config, ...args);
    t.is(code, 1);
    t.regex(stderr, /^proxyagent: user = "no-such-user": no such user; make it \(pw useradd/);
  }
});

test('a state directory that cannot be one is named with its key', (t) => {
  const { folder, config } = written();
  issued(folder);
  writeFileSync(join(folder, 'state'), '');
  const { code, stderr } = agent(config);
  t.is(code, 1);
  t.deepEqual(stderr.split('\n'), [
    `proxyagent: state = "${folder}/state" cannot be used (EEXIST: file already exists, mkdir '${folder}/state')`,
    `  do      install -d -o root -m 700 ${folder}/state, or another state in agent.toml`,
    '',
  ]);
});

test('a log that cannot be opened is named with its key', (t) => {
  const { folder, config } = written({ log: '{ file = "/dev/null/log" }' });
  issued(folder);
  const { code, stderr } = agent(config);
  t.is(code, 1);
  t.regex(
    stderr,
    /^proxyagent: log\.file = "\/dev\/null\/log" cannot be opened \(E[^\n]*\n {2}do {6}/,
  );
});

test('a port that another program has is named with how to find it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { folder, config } = written({ listen: `["127.0.0.1:${port}"]` });
  issued(folder);
  t.deepEqual(agent(config), {
    code: 1,
    stdout: '',
    stderr:
      `proxyagent: cannot listen on 127.0.0.1:${port}: the address is in use (EADDRINUSE)\n` +
      `  do      sockstat -l -p ${port} shows who has it; or another listen in agent.toml\n`,
  });
});

test('a folder for the socket that is not there is named with the command that makes it', (t) => {
  const { folder, config } = written({ socket: `{ path = "${root}/none/agent.sock" }` });
  issued(folder);
  t.deepEqual(agent(config).stderr.split('\n').slice(0, 2), [
    `proxyagent: cannot listen on ${root}/none/agent.sock: its directory does not exist (ENOENT)`,
    `  do      install -d -o root -m 755 ${root}/none, or another socket.path`,
  ]);
});

asRoot('the packaged agent finds helper.sh, which stays root when it becomes nobody', async (t) => {
  const { folder, config, log } = written({ user: '"nobody"' });
  issued(folder);
  const nobody = execFileSync('/usr/bin/id', ['-u', 'nobody'], { encoding: 'utf8' }).trim();
  chownSync(join(folder, 'node.key'), Number(nobody), 0);
  const running = spawn(process.execPath, [at('sbin/proxyagent'), '--config', config], {
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => running.kill('SIGKILL'));
  const said: Buffer[] = [];
  running.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  await eventually(
    () =>
      said.length > 0 || (existsSync(log) && readFileSync(log, 'utf8').includes('agent-started')),
  );
  t.is(String(Buffer.concat(said)), '');
  const line = readFileSync(log, 'utf8')
    .split('\n')
    .find((one) => one.includes('"privileges"'));
  const { by, user } = JSON.parse(line ?? '{}') as Readonly<Record<string, string>>;
  t.is(user, 'nobody');
  const helpers = [...(by ?? '').matchAll(/\d+/g)].map(([pid]) => pid);
  const uidsOf = (pid: number | string | undefined): string | undefined =>
    /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  t.deepEqual([...helpers, running.pid].map(uidsOf), [
    '0\t0\t0\t0',
    '0\t0\t0\t0',
    [nobody, nobody, nobody, nobody].join('\t'),
  ]);
  for (const pid of helpers)
    t.true(readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(at('libexec/proxyctl/helper.sh')));
  running.kill('SIGTERM');
  t.deepEqual(await once(running, 'close'), [0, null]);
});

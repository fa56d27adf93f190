import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { VERSION } from '../../agent/version.ts';
import { createCa } from '../rpc/certificates.ts';
import { answering } from '../ctl/answering.ts';
import { eventually } from '../record.ts';
import { unpack } from './unpacked.ts';

const { root, at, run, scripts, remove } = unpack();
test.after.always(remove);
const ETC = at('etc/proxyctl');

/** A package script as pkg(8) runs it; pw(8) is written down and knows nobody yet. */
function script(phase: string, env: Readonly<Record<string, string>> = {}) {
  const bin = join(root, 'bin');
  const log = join(root, 'pw.log');
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, 'pw'),
    `#!/bin/sh\necho "$*" >>${log}\ncase "$*" in *show*) exit 1;; esac\n`,
  );
  chmodSync(join(bin, 'pw'), 0o755);
  rmSync(log, { force: true });
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', scripts[phase] ?? 'exit 99'], {
    env: { PATH: `${bin}:/usr/bin:/bin`, PKG_ROOTDIR: root, PKG_PREFIX: '/usr/local', ...env },
    encoding: 'utf8',
  });
  const asked = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  return { code: status, stdout, stderr, asked };
}

test.serial('the programs of the package tell their version', (t) => {
  t.deepEqual(run('bin/proxyctl', ['--version']), {
    code: 0,
    stdout: `proxyctl ${VERSION}\n`,
    stderr: '',
  });
  t.deepEqual(run('libexec/proxyctl/proxyagent', ['--version']), {
    code: 0,
    stdout: `proxyagent ${VERSION}\n`,
    stderr: '',
  });
  t.is(run('sbin/proxyagent', ['--version']).stdout, `proxyagent ${VERSION}\n`);
  for (const program of ['bin/proxyctl', 'sbin/proxyagent', 'libexec/proxyctl/proxyagent'])
    t.is(readFileSync(at(program), 'utf8').split('\n')[0], '#!/usr/local/bin/node');
});

test.serial('the first installation makes user, group and a configuration that is good', (t) => {
  t.deepEqual(script('pre-install'), {
    code: 0,
    stdout: '',
    stderr: '',
    asked: [
      `-R ${root} groupshow proxyctl`,
      `-R ${root} groupadd proxyctl`,
      `-R ${root} usershow proxyctl`,
      `-R ${root} useradd proxyctl -g proxyctl -c proxyctl agent -d /nonexistent -s /usr/sbin/nologin`,
    ],
  });
  t.deepEqual(script('post-install'), { code: 0, stdout: '', stderr: '', asked: [] });
  const config = join(ETC, 'agent.toml');
  t.is(readFileSync(config, 'utf8'), readFileSync(`${config}.sample`, 'utf8'));
  t.deepEqual(run('libexec/proxyctl/proxyagent', ['--check', '--config', config]), {
    code: 0,
    stdout: `${config}: good\n`,
    stderr: '',
  });
});

test.serial(
  'an edited configuration outlives upgrade and removal, an untouched one only the upgrade',
  (t) => {
    const config = join(ETC, 'agent.toml');
    writeFileSync(config, 'node = "mine"\n');
    t.is(script('post-install').code, 0);
    t.is(script('pre-deinstall', { PKG_UPGRADE: 'true' }).stdout, '');
    t.regex(script('pre-deinstall').stdout, /`service proxyagent onerelease`/);
    t.is(readFileSync(config, 'utf8'), 'node = "mine"\n');
    copyFileSync(`${config}.sample`, config);
    t.is(script('pre-deinstall', { PKG_UPGRADE: 'true' }).code, 0);
    t.true(existsSync(config));
    t.is(script('pre-deinstall').code, 0);
    t.false(existsSync(config));
  },
);

test.serial('proxyctl without an agent is 10, with one it prints the status', async (t) => {
  const socket = join(root, 'agent.sock');
  const config = join(root, 'config.toml');
  writeFileSync(config, `[contexts.here]\nsocket = "${socket}"\n`);
  const { code, stdout, stderr } = run('bin/proxyctl', ['status'], { PROXYCTL_CONFIG: config });
  t.deepEqual([code, stdout], [10, '']);
  t.regex(stderr, /^proxyctl: .*agent/);
  const server = await answering(socket);
  t.teardown(() => server.close());
  const child = spawn(process.execPath, [at('bin/proxyctl'), 'status', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  t.deepEqual(await once(child, 'close'), [0, null]);
  t.regex(String(Buffer.concat(chunks)), /ADDRESS +VIP/);
});

test.serial('the warm-up leaves a cache that proxyctl takes and the removal takes away', (t) => {
  const caches = (): string[] =>
    readdirSync(at('libexec/proxyctl')).filter((name) => name.endsWith('.cache'));
  t.deepEqual(caches(), []);
  // No agent and no context: the cache comes of it all the same.
  t.is(run('libexec/proxyctl/warm-up.cjs', [], { HOME: root }).code, 2);
  t.is(caches().length, 1);
  t.is(run('bin/proxyctl', ['--version']).stdout, `proxyctl ${VERSION}\n`);
  writeFileSync(at(`libexec/proxyctl/${caches()[0] ?? ''}`), 'of another Node');
  t.is(run('bin/proxyctl', ['--version']).stdout, `proxyctl ${VERSION}\n`);
  t.is(script('pre-deinstall', { PKG_UPGRADE: 'true' }).code, 0);
  t.deepEqual(caches(), []);
});

test.serial(
  'the agent of the package starts with HAProxy down and without raw-socket, says so, and outlives its files',
  async (t) => {
    const folder = mkdtempSync(join(root, 'agent-'));
    const ca = await createCa('packaged');
    const own = await ca.issue(['proxyctl://pair/node/haproxy01']);
    writeFileSync(join(folder, 'ca.pem'), ca.certPem);
    writeFileSync(join(folder, 'node.pem'), own.certPem);
    writeFileSync(join(folder, 'node.key'), own.keyPem, { mode: 0o600 });
    const group = execFileSync('/usr/bin/id', ['-gn'], { encoding: 'utf8' }).trim();
    const socket = join(folder, 'agent.sock');
    const log = join(folder, 'log');
    writeFileSync(
      join(folder, 'agent.toml'),
      `node = "haproxy01"
listen = []
user = "root"
state = "${folder}/state"
socket = { path = "${socket}", group = "${group}" }
log = { file = "${log}" }
[tls]
ca = "${folder}/ca.pem"
cert = "${folder}/node.pem"
key = "${folder}/node.key"
[[peer]]
node = "haproxy02"
address = ["127.0.0.1:9"]
[carp]
devd = ""
tools = { ifconfig = "/bin/true", sysctl = "/bin/true", kldstat = "/bin/true", netstat = "/bin/true" }
[haproxy]
config = "${folder}/haproxy.conf"
socket = "${folder}/haproxy.sock"
`,
    );
    const agent = spawn(
      process.execPath,
      [at('libexec/proxyctl/proxyagent'), '--config', join(folder, 'agent.toml')],
      { env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    t.teardown(() => agent.kill('SIGKILL'));
    const said: Buffer[] = [];
    agent.stderr.on('data', (chunk: Buffer) => said.push(chunk));
    await eventually(
      () =>
        (existsSync(log) && readFileSync(log, 'utf8').includes('agent-started')) || said.length > 0,
    );
    t.is(String(Buffer.concat(said)), '');
    const events = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const icmp = events.find(({ event }) => event === 'icmp');
    t.is(icmp?.['msg'], "Cannot find module 'raw-socket'");
    t.true(['ping', 'none'].includes(String(icmp?.['using'])));

    // What an upgrade does under a running agent: its files go.
    for (const name of ['proxyagent', 'proxyagent.mjs']) rmSync(at(`libexec/proxyctl/${name}`));
    const config = join(folder, 'config.toml');
    writeFileSync(config, `[contexts.here]\nsocket = "${socket}"\n`);
    const status = run('bin/proxyctl', ['status', '-o', 'json'], { PROXYCTL_CONFIG: config });
    const { result } = JSON.parse(status.stdout) as {
      readonly result: {
        readonly nodes: readonly { readonly node: string; readonly agent: object }[];
      };
    };
    t.like(result.nodes[0], {
      node: 'haproxy01',
      agent: { version: VERSION, icmp: icmp?.['using'] },
    });
    writeFileSync(join(folder, 'agent.toml'), 'hold = 3\n');
    agent.kill('SIGHUP');
    await eventually(() => readFileSync(log, 'utf8').includes('config-refused'));
    agent.kill('SIGTERM');
    t.deepEqual(await once(agent, 'close'), [0, null]);
  },
);

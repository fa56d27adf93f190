import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../free-port.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { createCa } from '../rpc/certificates.ts';
import { eventually } from '../pair/scene.ts';
import { serviceHost, type ServiceHost } from './host.ts';

// rc.d/proxyagent under dash with real agents, which have nobody to talk to. The rc.subr is
// test/service/rc.subr; RC_SUBR=/path/to/a/real/one runs the same tests under that.

/** A host with an agent.toml that is good; everything of it is gone after the test. */
async function hosted(t: ExecutionContext): Promise<ServiceHost> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-service-'));
  mkdirSync(join(folder, 'etc'));
  const config = join(folder, 'etc/agent.toml');
  const host = serviceHost(folder, config);
  const ca = await createCa('pair');
  const node = await ca.issue(['proxyctl://pair/node/haproxy01']);
  writeFileSync(join(folder, 'ca.pem'), ca.certPem);
  writeFileSync(join(folder, 'node.pem'), node.certPem);
  writeFileSync(join(folder, 'node.key'), node.keyPem, { mode: 0o600 });
  writeFileSync(config, agentToml(folder));
  t.teardown(() => {
    host.end();
    rmSync(folder, { recursive: true, force: true });
  });
  return host;
}

/** Free a moment ago. */
const port = await new Promise<number>((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port: free } = probe.address() as AddressInfo;
    probe.close(() => resolve(free));
  });
});

const agentToml = (folder: string): string => `node = "haproxy01"
listen = ["127.0.0.1:${port}"]
state = "${folder}/state"
socket = { path = "${folder}/agent.sock", group = "root" }
log = { file = "${folder}/agent.log", level = "info", format = "json" }
user = "root"
[tls]
ca = "${folder}/ca.pem"
cert = "${folder}/node.pem"
key = "${folder}/node.key"
[[peer]]
node = "haproxy02"
address = ["127.0.0.1:9"]
[carp]
devd = ""
tools = { ifconfig = "/bin/false", sysctl = "/bin/false", kldstat = "/bin/false" }
`;

const logged = ({ folder }: ServiceHost, event: string): Record<string, unknown>[] =>
  readFileSync(join(folder, 'agent.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function started(t: ExecutionContext): Promise<ServiceHost> {
  const host = await hosted(t);
  const { code, stderr } = await host.service('start');
  t.is(code, 0, stderr);
  const file = join(host.folder, 'agent.log');
  await eventually(
    'the agent has started',
    () => existsSync(file) && logged(host, 'agent-started').length > 0,
  );
  return host;
}

const isRunning = (pid: number | null): boolean => pid !== null && existsSync(`/proc/${pid}`);

test.serial('start, status, stop: supervisor and agent run, then neither does', async (t) => {
  const host = await started(t);
  const pids = [host.pid('proxyagent.pid'), host.pid('proxyagent.child.pid')];
  t.deepEqual(pids.map(isRunning), [true, true]);
  const status = await host.service('status');
  t.deepEqual(status, {
    code: 0,
    stdout: `proxyagent is running as pid ${pids[0]}.\nIts agent is pid ${pids[1]}.\n`,
    stderr: '',
  });
  t.is((await host.service('stop')).code, 0);
  t.deepEqual(pids.map(isRunning), [false, false]);
  t.is((await host.service('status')).code, 1);
  t.like(logged(host, 'agent-stopping'), { 0: { leaving: false }, length: 1 });
});

test.serial('the agent and its supervisor leave no core file, which would hold keys', async (t) => {
  const host = await started(t);
  const limits = (['proxyagent.pid', 'proxyagent.child.pid'] as const).map((file) => {
    const text = readFileSync(`/proc/${host.pid(file)}/limits`, 'utf8');
    return /^Max core file size +(\S+) +(\S+)/m.exec(text)?.slice(1);
  });
  t.deepEqual(limits, [
    ['0', '0'],
    ['0', '0'],
  ]);
});

test.serial('the agent may open 4096 descriptors, whatever its class has', async (t) => {
  const host = await started(t);
  const text = readFileSync(`/proc/${host.pid('proxyagent.child.pid')}/limits`, 'utf8');
  t.deepEqual(/^Max open files +(\S+) +(\S+)/m.exec(text)?.slice(1), ['4096', '4096']);
});

test.serial('a shutdown without anybody to take over does not wait', async (t) => {
  const host = await started(t);
  const agent = host.pid('proxyagent.child.pid');
  const { code, stdout } = await host.shutdown();
  t.is(code, 0);
  t.regex(stdout, /^Handing over the addresses, stopping proxyagent\.$/m);
  t.false(isRunning(agent));
  t.like(logged(host, 'agent-stopping'), { 0: { leaving: true }, length: 1 });
  t.true(Number(logged(host, 'agent-left')[0]?.['took_ms']) < 3000);
  t.is((await host.shutdown()).code, 0);
});

test.serial(
  'reload reopens the log, takes policy into force and names what waits for a restart',
  async (t) => {
    const host = await started(t);
    const log = join(host.folder, 'agent.log');
    renameSync(log, `${log}.0`);
    const config = join(host.folder, 'etc/agent.toml');
    writeFileSync(
      config,
      agentToml(host.folder)
        .replace('listen = ["127.0.0.1', 'listen = ["127.0.0.2')
        .concat('[policy]\nhold = "7s"\nmax_moves = 9\ndetect = "calm"\n'),
    );
    t.is((await host.service('reload')).code, 0);
    await eventually(
      'it is reloaded',
      () => existsSync(log) && logged(host, 'config-waits').length > 0,
    );
    t.like(logged(host, 'config-reloaded'), {
      0: { keys: ['policy.hold', 'policy.max_moves'] },
      length: 1,
    });
    t.like(logged(host, 'config-waits'), { 0: { keys: ['listen', 'policy.detect'] }, length: 1 });
  },
);

test.serial(
  'reload takes other addresses of metrics and the page, and other targets, without a restart',
  async (t) => {
    const host = await started(t);
    const agent = host.pid('proxyagent.child.pid');
    const [metrics, page, other] = [await freePort(), await freePort(), await freePort()];
    const answers = async (port: number, path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null))?.status ?? 0;
    const seen = async (): Promise<number[]> => [
      await answers(metrics, '/metrics'),
      await answers(page, '/'),
      await answers(other, '/'),
    ];
    let reloads = 0;
    const become = async (more: string, wanted: readonly number[]): Promise<void> => {
      writeFileSync(join(host.folder, 'etc/agent.toml'), `${agentToml(host.folder)}${more}`);
      t.is((await host.service('reload')).code, 0);
      reloads++;
      // Two signals that meet are one.
      await eventually('it is reloaded', () => logged(host, 'config-reloaded').length === reloads);
      const what = `answered ${wanted.join()}`;
      await eventually(what, async () => (await seen()).join() === wanted.join());
    };
    const listen = (part: string, port: number): string =>
      `[${part}]\nlisten = ["127.0.0.1:${port}"]\n`;
    const target = '[[notify]]\nname = "ops"\nkind = "exec"\ncommand = ["/usr/bin/true"]\n';
    t.deepEqual(await seen(), [0, 0, 0]);
    await become(listen('metrics', metrics) + listen('web', page) + target, [200, 200, 0]);
    // Taken by the metrics.
    await become(listen('metrics', metrics) + listen('web', metrics) + target, [200, 200, 0]);
    await become(listen('metrics', metrics) + listen('web', other), [200, 0, 200]);
    await become('', [0, 0, 0]);
    t.deepEqual(
      logged(host, 'config-reloaded').map(({ keys }) => keys),
      [['notify', 'metrics', 'web'], ['web'], ['notify', 'web'], ['metrics', 'web']],
    );
    t.deepEqual(logged(host, 'config-waits'), []);
    t.is(host.pid('proxyagent.child.pid'), agent);
  },
);

test.serial(
  'a bad agent.toml: reload and restart refuse with its line, and the agent runs on',
  async (t) => {
    const host = await started(t);
    const agent = host.pid('proxyagent.child.pid');
    writeFileSync(join(host.folder, 'etc/agent.toml'), 'nodee = "x"\n');
    const said = [];
    for (const verb of ['configtest', 'reload', 'restart']) said.push(await host.service(verb));
    for (const { code, stderr } of said) {
      t.not(code, 0);
      t.regex(stderr, /agent\.toml:1:1: nodee: no such key; did you mean node\?/);
    }
    t.is(host.pid('proxyagent.child.pid'), agent);
    t.true(isRunning(agent));
  },
);

test.serial('onerelease where CARP is not loaded has nothing to put back', async (t) => {
  const host = await hosted(t);
  const { code, stdout } = await host.service('onerelease');
  t.deepEqual(
    { code, stdout },
    { code: 0, stdout: 'already released: nothing of the agent is in force\n' },
  );
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  [
    'proxyagent_cofnig="/x"',
    /proxyagent_cofnig is not a variable of proxyagent: there are proxyagent_enable, _config, _args and _node/,
  ],
  ['proxyagent_flags="-v"', /proxyagent_flags would go to daemon\(8\): use proxyagent_args/],
  ['proxyagent_user="www"', /proxyagent_user does not work here: the agent starts as root/],
  ['proxyagent_config="agent.toml"', /proxyagent_config="agent\.toml": must begin with \//],
  ['proxyagent_config="/nowhere.toml"', /proxyagent_config="\/nowhere\.toml": no such file/],
  [
    'proxyagent_config="/etc/a;reboot"',
    /proxyagent_config="\/etc\/a;reboot": must be a path without blanks/,
  ],
  ['proxyagent_args="--x; reboot"', /proxyagent_args="--x; reboot": letters, digits, blanks/],
  ['proxyagent_node="/bin/nonode"', /proxyagent_node="\/bin\/nonode": no such program/],
];

test.serial(
  'a variable of rc.conf with a typo or a bad value is named, and nothing is started',
  async (t) => {
    const host = await hosted(t);
    for (const [line, said] of REFUSED) {
      host.conf(`proxyagent_enable="YES"\n${line}\n`);
      const { code, stderr } = await host.service('start');
      t.not(code, 0, line);
      t.regex(stderr, said, line);
      t.is(host.pid('proxyagent.pid'), null, line);
    }
    host.conf('proxyagent_enable="YSE"\n');
    const { stderr } = await host.service('start');
    t.regex(stderr, /\$proxyagent_enable is not set properly/);
    t.is(host.pid('proxyagent.pid'), null);
  },
);

const SHELL = ['rc.d/proxyagent', 'packaging/verify-host.sh'].concat(
  readdirSync(join(CHECKOUT, 'packaging/periodic')).map((name) => `packaging/periodic/${name}`),
);

test.serial(
  'onestart and configtest without TLS files say what is missing, and start nothing',
  async (t) => {
    const host = await hosted(t);
    rmSync(join(host.folder, 'ca.pem'));
    const [start, config] = [await host.service('onestart'), await host.service('configtest')];
    const sentence = `proxyagent: ${host.folder}/ca.pem: no such file\n  do      \`proxyctl pki\` issues certificates\n`;
    t.deepEqual([start.code, config.code], [1, 1]);
    t.true(start.stderr.includes(sentence), start.stderr);
    t.true(config.stderr.includes(sentence), config.stderr);
    t.deepEqual([host.pid('proxyagent.pid'), host.pid('proxyagent.child.pid')], [null, null]);
  },
);

test.serial('every script parses under dash', (t) => {
  const wrong = SHELL.map((file) =>
    spawnSync('dash', ['-n', join(CHECKOUT, file)], { encoding: 'utf8' }),
  )
    .filter((one) => one.status !== 0)
    .map((one) => one.stderr);
  t.deepEqual(wrong, []);
});

const linted = spawnSync('shellcheck', ['--version']).error === undefined ? test : test.skip;
linted('shellcheck finds nothing (needs shellcheck)', (t) => {
  const { stdout } = spawnSync(
    'shellcheck',
    SHELL.map((file) => join(CHECKOUT, file)),
    { encoding: 'utf8' },
  );
  t.is(stdout, '');
});

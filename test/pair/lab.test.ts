import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readlinkSync } from 'node:fs';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import ava from 'ava';
import { ran, type Ran } from '../lab/client.ts';
import { labMissing } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabReport } from '../lab/report.ts';
import { eventually, labName } from './scene.ts';

const test = labMissing() === null ? ava.serial : ava.serial.skip;
const [one, two, poor] = [labName(), labName(), labName()];

const lab = (...args: readonly string[]): Promise<Ran> =>
  ran([process.execPath, join(CHECKOUT, 'dist/test/lab/main.js'), ...args]);

ava.serial.after.always('no lab is left', async () => {
  await Promise.all([one, two].map((name) => lab('down', '--name', name)));
});

/** What still has the name: namespaces, mounts, files and processes. */
async function leftOf(name: string): Promise<string[]> {
  const namespaces = await ran(['ip', 'netns', 'list']);
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const processes = await ran(['ps', '-eo', 'args']);
  const lines = `${namespaces.stdout}\n${mounts}\n${processes.stdout}`.split('\n');
  return lines.filter((line) => line.includes(`${name}-`) || line.includes(`"${name}"`));
}

test('two labs stand side by side; up prints one JSON line with everything a script needs', async (t) => {
  const [first, second] = await Promise.all([one, two].map((name) => lab('up', '--name', name)));
  t.is(first?.code, 0, first?.stderr);
  t.is(second?.code, 0, second?.stderr);
  t.regex(first?.stdout ?? '', /^\{.*\}\n$/);
  const report = JSON.parse(first?.stdout ?? '') as LabReport;
  const [node] = report.nodes;
  for (const key of ['name', 'namespaces', 'vip4', 'vip6', 'addresses', 'http', 'https', 'ca'])
    t.true(key in report, key);
  t.deepEqual(
    Object.keys(node ?? {}).sort(),
    'address4 address6 agent agent_config agent_pid agent_socket carp_pid cert_path haproxy_config haproxy_pid log name state_dir stats_socket tools'.split(
      ' ',
    ),
  );
  t.deepEqual(
    [report.ca, report.proxyctl_config, node?.agent_socket, node?.cert_path].map((path) =>
      existsSync(path ?? ''),
    ),
    [true, true, true, true],
  );
  const pids = report.nodes.flatMap((each) => [each.agent_pid, each.haproxy_pid, each.carp_pid]);
  // Not comm: from Node 24 on a Node's is the name of its main thread.
  const programs = pids.map((pid) => basename(readlinkSync(`/proc/${pid}/exe`)));
  const program = basename(realpathSync(process.execPath));
  t.deepEqual(programs, [program, 'haproxy', program, program, 'haproxy', program]);
  t.deepEqual(report.addresses, [
    { id: '1@vtnet0', vhid: 1, vip4: report.vip4, vip6: report.vip6 },
  ]);
  t.deepEqual([report.http, report.https], [80, 443]);
});

test('up says so when the lab is up, and leaves it alone', async (t) => {
  const again = await lab('up', '--name', one);
  t.is(again.code, 1);
  t.regex(again.stderr, new RegExp(`lab ${one} is up already`));
  t.is((await lab('status', '--name', one)).code, 0);
});

test('env is for a shell, exec for commands on a node or as client', async (t) => {
  const script = `eval "$(${process.execPath} ${CHECKOUT}dist/test/lab/main.js env --name ${one})"; proxyctl status --check`;
  const shell = await ran(['sh', '-c', script]);
  t.is(shell.code, 0, shell.stdout + shell.stderr);
  const node = await lab('exec', '--name', one, 'haproxy01', 'ifconfig', 'vtnet0');
  t.regex(node.stdout, /carp: MASTER vhid 1 advbase 1 advskew 0/);
  const client = await lab('exec', '--name', one, 'client', 'proxyctl', 'status', '--check');
  t.is(client.code, 0, client.stdout + client.stderr);
  t.is((await lab('exec', '--name', one, 'haproxy02', 'sh', '-c', 'exit 7')).code, 7);
  t.is((await lab('exec', '--name', one, 'nowhere', 'true')).code, 1);
});

test('probe prints JSON alone', async (t) => {
  const { code, stdout } = await lab('probe', '1', '--name', one);
  t.is(code, 0);
  t.regex(stdout, /^\{.*\}\n$/);
  t.like(JSON.parse(stdout), { sent: 200, ok: 200, failed: 0, by: { haproxy01: 200 }, gaps: [] });
});

test("a node's agent is the bundle at a path, and this checkout's once it is replaced", async (t) => {
  const name = 'haproxy02';
  const folder = mkdtempSync(join(tmpdir(), `${labName()}-`));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const bundle = join(folder, 'agent.mjs');
  writeFileSync(bundle, `import ${JSON.stringify(join(CHECKOUT, 'dist/agent/main.js'))};\n`);
  copyFileSync(join(CHECKOUT, 'dist/agent/privilege/helper.sh'), join(folder, 'helper.sh'));
  const starts = (agent: unknown, main: string): Promise<void> =>
    eventually(`${main} runs`, async () => isDeepStrictEqual(await now(), { agent, runs: main }));
  const now = async (): Promise<unknown> => {
    const report = JSON.parse((await lab('status', '--name', one)).stdout) as LabReport;
    const [, node] = report.nodes;
    const argv = readFileSync(`/proc/${node?.agent_pid}/cmdline`, 'utf8').split('\0');
    return { agent: node?.agent, runs: argv[1] };
  };
  t.is((await lab('agent', name, bundle, '--name', one)).code, 0);
  await starts({ bundle }, bundle);
  t.is((await lab('agent', name, 'checkout', '--name', one)).code, 0);
  await starts(null, join(CHECKOUT, 'dist/agent/main.js'));
});

test('an agent that is not there is refused with those there are', async (t) => {
  const up = (agent: string): Promise<Ran> => lab('up', '--name', labName(), '--agent', agent);
  const refused: [string, RegExp][] = [
    ['haproxy01=abc1234', /no older agent abc1234; there are 747ce70/],
    ['haproxy09=747ce70', /no host haproxy09 for an agent; there are haproxy01, haproxy02/],
    ['haproxy01=/nowhere/agent.mjs', /needs \/nowhere\/agent\.mjs, which is not a file/],
    ['747ce70', /NODE=COMMIT or NODE=PATH/],
  ];
  for (const [agent, sentence] of refused) {
    const { code, stderr } = await up(agent);
    t.is(code, 1, agent);
    t.regex(stderr, sentence);
  }
});

test('an unknown fault gets a suggestion, and help lists every fault', async (t) => {
  const wrong = await lab('fault', 'kil-agent', 'on', '--name', one);
  t.is(wrong.code, 1);
  t.regex(wrong.stderr, /did you mean kill-agent\?/);
  t.regex(
    (await lab('fault', 'cut', 'on', 'haproxy09', '--name', one)).stderr,
    /no host haproxy09/,
  );
  t.regex((await lab('fault', 'cut', 'yes', '--name', one)).stderr, /on or off/);
  const help = await lab('fault', '--help');
  const listed = help.stdout.split('Faults:\n')[1]?.match(/^ {2}[a-z0-9-]+/gm) ?? [];
  const names = listed.map((line) => line.trim());
  const wanted =
    'kill-agent kill-haproxy freeze-agent freeze-haproxy cut carp-in carp-out carp grpc witness delay loss disk-full clock reboot'.split(
      ' ',
    );
  t.deepEqual(
    wanted.filter((name) => !names.includes(name)),
    [],
  );
});

test('the witness answers ping on both families until the fault takes it away', async (t) => {
  const answers = (): Promise<number[]> =>
    Promise.all(
      ['10.1.60.254', 'fd5e:d1c2:c9de:60::254'].map(async (address) => {
        const ping = ['exec', '--name', one, 'haproxy01', 'ping', '-c1', '-W1', address];
        return (await lab(...ping)).code;
      }),
    );
  t.deepEqual(await answers(), [0, 0]);
  t.is((await lab('fault', 'witness', 'on', '--name', one)).code, 0);
  t.deepEqual(await answers(), [1, 1]);
  t.is((await lab('fault', 'witness', 'off', '--name', one)).code, 0);
  t.deepEqual(await answers(), [0, 0]);
});

test('down leaves nothing of one lab, and the other goes on', async (t) => {
  t.is((await lab('down', '--name', one)).code, 0);
  t.deepEqual(await leftOf(one), []);
  t.false(existsSync(`/tmp/${one}-${process.getuid?.()}`));
  t.is((await lab('exec', '--name', two, 'client', 'proxyctl', 'status', '--check')).code, 0);
  t.is((await lab('down', '--name', two)).code, 0);
  t.deepEqual(await leftOf(two), []);
  const again = await lab('down', '--name', two);
  t.is(again.code, 0);
  t.regex(again.stderr, /no lab .* was up/);
});

/** Another user, without any right; null where that cannot be tried. */
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const works = (...argv: readonly string[]): boolean => {
  const [command = '', ...args] = nobody.concat(argv);
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
};
const canBePoor =
  labMissing() === null &&
  process.getuid?.() === 0 &&
  works('unshare', '-Urnmpf', 'true') &&
  works(process.execPath, join(CHECKOUT, 'dist/test/lab/main.js'), '--help');
const unprivileged = canBePoor ? ava.serial : ava.serial.skip;

unprivileged(
  'without root: a lab comes up in a user namespace, moves, and leaves nothing',
  async (t) => {
    const main = join(CHECKOUT, 'dist/test/lab/main.js');
    const as = (...args: readonly string[]): Promise<Ran> =>
      ran([...nobody, process.execPath, main, ...args, '--name', poor]);
    const exec = (...args: readonly string[]): Promise<Ran> =>
      ran([...nobody, process.execPath, main, 'exec', '--name', poor, 'client', ...args]);
    try {
      const up = await as('up');
      t.is(up.code, 0, up.stderr);
      const status = await exec('proxyctl', 'status', '--check');
      t.is(status.code, 0, status.stdout + status.stderr);
      const moved = await exec('proxyctl', 'failover');
      t.is(moved.code, 0, moved.stderr);
      const probed = await as('probe', '1');
      t.like(JSON.parse(probed.stdout), { failed: 0, by: { haproxy02: 200 } });
    } finally {
      t.is((await as('down')).code, 0);
    }
    t.deepEqual(await leftOf(poor), []);
  },
);

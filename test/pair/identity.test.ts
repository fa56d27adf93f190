import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { proxyctl, ran, type Ran } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import type { LabNode } from '../lab/report.ts';
import { asking, slow } from './sessions.ts';
import { asAtFirst, calm, eventually, fault, logOf, nodeAt, nodeNow, scene } from './scene.ts';

// A pair whose certificates are those of `proxyctl pki`, and what ends them.

const { test, lab } = scene();
const DRAIN = ['drain', 'WEB/web1'];
const READY = ['ready', 'WEB/web1'];
const ca = (): string => join(lab().runtime, 'pki');
const issued = (file: string): string => join(ca(), 'issued', file);
const onLaptop = (name: string): string => join(lab().runtime, name);

/** `proxyctl pki` on the machine that has the CA; throws with what it said where it fails. */
async function pki(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await proxyctl(lab(), ['pki', ...args]);
  if (code !== 0) throw new Error(`pki ${args.join(' ')}: ${code} ${stderr}`);
}

/** Puts on a host what the CA's machine has for it. */
function copied({ name, log }: LabNode): void {
  for (const file of ['node.pem', 'node.key'])
    cpSync(issued(`node-${name}${file.slice(4)}`), join(dirname(log), file));
  cpSync(join(ca(), 'ca.pem'), join(lab().runtime, 'ca.pem'));
}

/** A laptop gets the files of an operator, in a folder of their own: those before stay in use. */
function handedOut(name: string, folder: string): void {
  mkdirSync(onLaptop(folder));
  for (const end of ['pem', 'key'])
    cpSync(issued(`operator-${name}.${end}`), join(onLaptop(folder), `${name}.${end}`));
  cpSync(join(ca(), 'ca.pem'), join(onLaptop(folder), 'ca.pem'));
  const agents = lab().nodes.map((node) => `${node.name} = "${node.address4}:7660"`);
  const context = (of: string, some: readonly string[]): string =>
    `[contexts.${of}]\nagents = { ${some.join(', ')} }\n` +
    `ca = "ca.pem"\ncert = "${name}.pem"\nkey = "${name}.key"\n`;
  const each = lab().nodes.map((node, at) => context(node.name, agents.slice(at, at + 1)));
  writeFileSync(
    join(onLaptop(folder), 'config.toml'),
    `${context('pair', agents)}${each.join('')}`,
  );
}

/** The command line of proxyctl on a laptop, with what was copied to `folder`. */
const laptopArgv = (folder: string, context: string, args: readonly string[]) =>
  inside(lab(), 'client', [
    process.execPath,
    lab().proxyctl,
    ...args,
    '--config',
    join(onLaptop(folder), 'config.toml'),
    '--context',
    context,
  ]);
const laptop = (folder: string, ...args: readonly string[]): Promise<Ran> =>
  ran(laptopArgv(folder, 'pair', args));

/** `service proxyagent reload` on a host; resolves once it is on record as done. */
async function reloaded(at: number): Promise<void> {
  const node = await nodeNow(lab(), at);
  const log = join(dirname(node.log), 'proxyctl-audit.log');
  const reloads = (): number => readFileSync(log, 'utf8').split('"event":"reload"').length;
  const before = reloads();
  process.kill(node.agent_pid ?? 0, 'SIGHUP');
  await eventually(`${node.name} has reloaded`, () => reloads() > before);
}

/** Commands said one after the other, again and again, until `end`, which resolves with those that failed. */
function said(commands: readonly (readonly string[])[], as: () => string) {
  const failed: string[] = [];
  const state = { calls: 0, over: false };
  const all = (async () => {
    while (!state.over)
      for (const args of commands) {
        const folder = as();
        const { code, stderr } = await laptop(folder, ...args);
        state.calls += 1;
        if (code !== 0) failed.push(`${folder}: ${args.join(' ')}: ${code} ${stderr}`);
      }
  })();
  return {
    async more(count: number): Promise<void> {
      const until = state.calls + count;
      await eventually(`${count} more calls`, () => state.calls >= until);
    },
    async end(): Promise<readonly string[]> {
      state.over = true;
      await all;
      return failed;
    },
  };
}

/**
 * What agents have noticed since line `from` of their logs, of what must not happen. That a heartbeat
 * came late ("suspect") is no harm, and no wonder on a busy machine.
 */
const noticed = (from: readonly number[]): unknown[] =>
  lab().nodes.flatMap((node, at) =>
    logOf(node)
      .slice(from[at] ?? 0)
      .filter(({ event }) => /^(carp-changed|peer-changed|alert|agent-)/.test(String(event)))
      .map(({ event, msg }) => `${node.name}: ${String(event)} ${String(msg)}`)
      .filter((line) => !/peer-changed \w+ is (suspect|alive)$/.test(line)),
  );

test('a pair takes the identities of pki init', async (t) => {
  const dir = ['--dir', ca()];
  await pki('init', '--pair', lab().name, ...dir);
  for (const { name } of lab().nodes) await pki('issue', 'node', name, ...dir);
  for (const name of ['anna', 'ben'])
    await pki('issue', 'operator', name, '--role', 'operator', ...dir);
  await fault(lab(), 'kill-agent', 'on');
  for (const node of lab().nodes) copied(node);
  await fault(lab(), 'kill-agent', 'off');
  for (const name of ['anna', 'ben']) handedOut(name, name);
  await calm(lab());
  t.is((await laptop('anna', 'status', '--check')).code, 0);
});

test('another CA in its three steps: no call and no request fails, and no node misses another', async (t) => {
  await asAtFirst(lab());
  const from = lab().nodes.map((node) => logOf(node).length);
  let folder = 'anna';
  const client = asking(lab(), 'www.example.net', '/plain/', 100_000);
  const looking = said([['status', '--check']], () => folder);
  const acting = said([DRAIN, READY], () => folder);
  await looking.more(2);
  for (const step of ['begin', 'issue', 'finish']) {
    await pki('rotate-ca', step, '--dir', ca());
    for (const name of ['anna', 'ben']) handedOut(name, `${name}-${step}`);
    for (const [at, node] of lab().nodes.entries()) {
      copied(node);
      await reloaded(at);
    }
    folder = `anna-${step}`;
    await Promise.all([looking.more(3), acting.more(3)]);
  }
  const failed = [...(await looking.end()), ...(await acting.end())];
  client.stop();
  const answers = await client.end();
  t.deepEqual(failed, []);
  t.deepEqual(
    answers.filter((one) => !/^200 WEB\/web[123]$/.test(one)),
    [],
  );
  t.true(answers.length > 100, `${answers.length} answers`);
  t.deepEqual(noticed(from), []);
  // What was left on the first laptop is of the CA that is out.
  t.is((await laptop('anna', 'status')).code, 10);
});

/** A command of a laptop at one node that goes on by itself; `exit`: its code and when, Unix ms. */
function going(folder: string, at: number, ...args: readonly string[]) {
  const [file = '', ...rest] = laptopArgv(folder, nodeAt(lab(), at).name, args);
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const exit = once(child, 'exit').then(([code]) => ({ code: Number(code), ms: Date.now() }));
  return { exit, said: () => out + err, kill: () => child.kill('SIGKILL') };
}

/** What stands on record at a node itself. */
const recorded = ({ log }: LabNode): readonly Record<string, unknown>[] =>
  readFileSync(join(dirname(log), 'proxyctl-audit.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a laptop that is revoked is out on both nodes, with what it has open; another goes on', async (t) => {
  await asAtFirst(lab());
  const from = lab().nodes.map((node) => recorded(node).length);
  const { client, target } = await slow(lab(), 60_000);
  const open: ReturnType<typeof going>[] = [];
  const allOpen = (): Promise<void> =>
    eventually('all are open', () => open.every((one) => /draining|"ok"/.test(one.said())));
  const other = said([['status', '--check']], () => 'anna-finish');
  let failed: readonly string[] | null = null;
  try {
    // One after the other: of two wishes for a server in the same breath one is a conflict.
    for (const at of [0, 1]) {
      open.push(going('ben-finish', at, 'drain', target, '--wait'));
      await allOpen();
    }
    for (const at of [0, 1]) open.push(going('ben-finish', at, 'servers', '--watch', '-o', 'json'));
    await allOpen();
    await other.more(1);
    await pki('revoke', 'ben', '--dir', ca());
    const endedMs = Date.now();
    const exits = await Promise.all(open.map(({ exit }) => exit));
    t.log(exits.map(({ code, ms }) => `exit ${code} ${ms - endedMs} ms after the command`));
    t.deepEqual(
      exits.map(({ code }) => code),
      // What became of the drain a laptop that was cut off cannot know.
      [7, 7, 10, 10],
    );
    for (const node of lab().nodes)
      t.is((await going('ben-finish', lab().nodes.indexOf(node), 'status').exit).code, 10);
    await other.more(3);
  } finally {
    for (const one of open) one.kill();
    client.stop();
    failed = await other.end();
  }
  t.deepEqual(failed, []);
  for (const [at, node] of lab().nodes.entries()) {
    const entries = recorded(node).slice(from[at]);
    t.is(entries.filter(({ event }) => event === 'revoked').length, 1);
    // Those that were open, and the first of those that came after.
    const cut = entries.filter(({ event }) => event === 'handshake');
    t.true(cut.some(({ message }) => message === 'its certificate was revoked'));
  }
  t.is((await laptop('anna-finish', 'ready', target)).code, 0);
});

test('where root allows configurations it learns who is revoked: at a start, and when it is published', async (t) => {
  const node = nodeAt(lab(), 0);
  const store = `${node.state_dir}-deployed`;
  /** The list that root goes by; of a CA that is out it has none. */
  const known = (): string => {
    const names = existsSync(store) ? readdirSync(store) : [];
    return names
      .filter((name) => name.startsWith('crl.'))
      .map((name) => readFileSync(join(store, name), 'utf8'))
      .join('');
  };
  const inForce = (): string => readFileSync(join(node.state_dir, 'revoked.pem'), 'utf8');
  const before = inForce();
  await fault(lab(), 'kill-agent', 'on', node);
  const config = readFileSync(node.agent_config, 'utf8');
  writeFileSync(node.agent_config, config.replace('[haproxy]\n', '[haproxy]\ndeploy = true\n'));
  await fault(lab(), 'kill-agent', 'off', node);
  await eventually('root has the list of before', () => known() !== '' && before.includes(known()));
  await pki('revoke', 'anna', '--dir', ca());
  await eventually('root has the new one', () => {
    const now = inForce();
    return now !== before && known() !== '' && now.includes(known()) && !before.includes(known());
  });
  t.pass();
});

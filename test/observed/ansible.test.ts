import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ava from 'ava';
import { COLLECTION } from '../ansible/python.ts';
import { newSite } from '../lab/certificates.ts';
import { ran, startProbe, type Ran } from '../lab/client.ts';
import { labEnvironment } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { asked, asAtFirst, masters, nodeAt, scene, seenBy, within } from '../pair/scene.ts';

// A real Ansible runs the collection, as it is installed from its folder, against the pair.
const installed = spawnSync('ansible-playbook', ['--version']).error === undefined;
const { test: onLab, lab } = scene();
const alone = installed ? ava : ava.skip;
const test = installed ? onLab : ava.serial.skip;
/** A play of the pair takes so long at most, ms. */
const PLAY_MS = 150_000;

const folder = mkdtempSync(join(tmpdir(), 'ansible-'));
ava.after.always(() => rmSync(folder, { recursive: true, force: true }));
const log = join(folder, 'log');
const own = {
  HOME: folder,
  ANSIBLE_COLLECTIONS_PATH: join(folder, 'collections'),
  ANSIBLE_NOCOLOR: '1',
  ANSIBLE_LOG_PATH: log,
  ANSIBLE_LOCALHOST_WARNING: 'false',
  LC_ALL: 'C.UTF-8',
};

ava.serial.before('the collection is installed from its folder', async (t) => {
  if (!installed) return;
  const path = join(folder, 'collections');
  const argv = ['ansible-galaxy', 'collection', 'install', COLLECTION, '-p', path];
  const { code, stdout, stderr } = await ran(argv, { ...process.env, ...own });
  t.is(code, 0, `${stdout}${stderr}`);
});

const program = join(folder, 'proxyctl');

/** Runs a playbook with proxyctl of the lab. */
function play(playbook: string, ...args: readonly string[]): Promise<Ran> {
  const { proxyctl } = lab();
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${proxyctl} "$@"\n`, { mode: 0o755 });
  const argv = ['ansible-playbook', '-c', 'local', ...args, playbook];
  return ran(argv, { ...process.env, ...labEnvironment(lab(), null), ...own }, PLAY_MS);
}

interface Recap {
  readonly ok: number;
  readonly changed: number;
  readonly failed: number;
  readonly text: string;
}

/** Runs one module on this machine. */
async function module(name: string, params: object, ...args: readonly string[]): Promise<Recap> {
  const file = join(folder, 'play.json');
  const task = { [`proxyctl.pair.${name}`]: { executable: program, ...params } };
  writeFileSync(file, JSON.stringify([{ hosts: 'localhost', gather_facts: false, tasks: [task] }]));
  const { stdout, stderr } = await play(file, '-i', 'localhost,', ...args);
  const count = (word: string): number =>
    Number(new RegExp(`^localhost .*\\b${word}=(\\d+)`, 'm').exec(stdout)?.[1] ?? -1);
  const [ok, changed, failed] = ['ok', 'changed', 'failed'].map(count);
  return { ok: ok ?? -1, changed: changed ?? -1, failed: failed ?? -1, text: `${stdout}${stderr}` };
}

/** What was decided last, and who is MASTER. */
async function standing(): Promise<unknown> {
  const { json } = await asked(lab(), 'status');
  return [json.result?.['seen'], await masters(lab())];
}

alone('ansible-doc reads every module', async (t) => {
  const argv = ['ansible-doc', '-t', 'module', '--list', 'proxyctl.pair'];
  const { stdout } = await ran(argv, { ...process.env, ...own });
  const names = [...stdout.matchAll(/^proxyctl\.pair\.(\w+)/gm)].map(([, name]) => name);
  t.is(names.length, 8);
  for (const name of names) {
    const one = await ran(['ansible-doc', `proxyctl.pair.${name}`], { ...process.env, ...own });
    t.is(one.code, 0, one.stderr);
    t.is(one.stderr, '');
    t.regex(one.stdout, /- timeout\n/);
  }
});

const node = (): string => nodeAt(lab(), 1).name;
const STEPS: readonly (readonly [string, () => object, RegExp])[] = [
  [
    'drain',
    () => ({ target: ['WEB/web1'], wait: true, timeout: '20s' }),
    /^\+haproxy01 WEB\/web1: drain$/m,
  ],
  ['maint', () => ({ target: ['WEB/web1'] }), /^\+haproxy01 WEB\/web1: maint$/m],
  ['ready', () => ({ target: ['WEB/web1'] }), /^\+haproxy02 WEB\/web1: ready$/m],
  ['failover', () => ({ to: node(), reason: 'a test' }), /^\+1@vtnet0: haproxy02$/m],
  ['failback', () => ({}), /^\+1@vtnet0: haproxy01$/m],
  ['maintenance on', () => ({ node: node(), state: true }), /^\+haproxy02: maintenance on$/m],
  ['maintenance off', () => ({ node: node(), state: 'off' }), /^\+haproxy02: maintenance off$/m],
];

for (const [title, params, line] of STEPS)
  test(`${title}: check mode changes nothing, a run does, a second one does not`, async (t) => {
    const [name = ''] = title.split(' ');
    const before = await standing();
    const check = await module(name, params(), '--check', '--diff');
    t.like(check, { ok: 1, changed: 1, failed: 0 }, check.text);
    t.regex(check.text, line);
    t.deepEqual(await standing(), before, 'check mode');
    const first = await module(name, params(), '--diff');
    t.like(first, { ok: 1, changed: 1, failed: 0 }, first.text);
    t.regex(first.text, line);
    const after = await standing();
    t.notDeepEqual(after, before);
    for (const mode of [[], ['--check']]) {
      const again = await module(name, params(), ...mode);
      t.like(again, { ok: 1, changed: 0, failed: 0 }, again.text);
    }
    t.deepEqual(await standing(), after, 'a second run');
  });

test('certificate: the same, from a variable; its key is in no output and in no log', async (t) => {
  const content = await newSite(60);
  const params = { content, reason: 'renewed' };
  const before = await standing();
  const seen = [];
  for (const mode of [['--check'], [], [], ['--check']])
    seen.push(await module('certificate', params, '--diff', '-vvv', ...mode));
  t.deepEqual(
    seen.map(({ ok, changed, failed }) => [ok, changed, failed]),
    [
      [1, 1, 0],
      [1, 1, 0],
      [1, 0, 0],
      [1, 0, 0],
    ],
    seen.map(({ text }) => text).join('\n'),
  );
  t.regex(seen[1]?.text ?? '', /^\+haproxy01 .*\.pem: [0-9a-f]{40}$/m);
  t.notDeepEqual(await standing(), before);
  const [, key = ''] = /-----BEGIN [A-Z ]*PRIVATE KEY-----\n(.*)\n/.exec(content) ?? [];
  t.true(key.length > 40);
  const everything = [...seen.map(({ text }) => text), readFileSync(log, 'utf8')].join('\n');
  t.false(everything.includes(key));
});

test('wait returns once it is so, and fails with what to do when it is not in time', async (t) => {
  const so = await module('wait', { for: ['serving', 'converged'] });
  t.like(so, { ok: 1, changed: 0, failed: 0 }, so.text);
  const late = await module('wait', { for: [`owner=${node()}`], timeout: '1s' });
  t.like(late, { ok: 0, changed: 0, failed: 1 });
  t.regex(late.text, /proxyctl wait, exit 124: .*in a task: a longer timeout/);
});

const answers = (by: Readonly<Record<string, number>>): string[] => Object.keys(by).sort();

test('upgrade: both hosts, the BACKUP first, and clients lose no more than by planned moves', async (t) => {
  await asAtFirst(lab());
  const { name, nodes } = lab();
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, `[proxyctl]\n${nodes.map((one) => one.name).join('\n')}\n`);
  const inLab = (words: string): string =>
    `${process.execPath} ${join(CHECKOUT, 'dist/test/lab/main.js')} ${words} --name ${name}`;
  const variables = join(folder, 'variables.json');
  const on = '{{ inventory_hostname }}';
  const commands = [`fault kill-haproxy on ${on}`, `fault kill-haproxy off ${on}`];
  writeFileSync(
    variables,
    JSON.stringify({
      proxyctl_executable: program,
      proxyctl_upgrade_commands: [...commands, `agent ${on} checkout`].map(inLab),
    }),
  );
  const upgrade = (...args: readonly string[]): Promise<Ran> =>
    play('proxyctl.pair.upgrade', '-i', hosts, '-e', `@${variables}`, ...args);

  const before = await standing();
  const check = await upgrade('--check');
  t.is(check.code, 0, check.stdout);
  t.deepEqual(await standing(), before, 'check mode');

  const probe = await startProbe(lab());
  const { code, stdout, stderr } = await upgrade();
  t.is(code, 0, `${stdout}${stderr}`);
  const order = [...stdout.matchAll(/^changed: \[(\S+)\] => \(item=.* agent /gm)].map(
    ([, host]) => host,
  );
  t.deepEqual(order, [nodeAt(lab(), 1).name, nodeAt(lab(), 0).name]);
  // It goes home by itself once its HAProxy has served for long enough.
  await asAtFirst(lab());
  const seen = await probe.end();
  t.log(`${seen.failed} of ${seen.sent} failed, the longest gap ${seen.longest_gap_ms} ms`);
  t.deepEqual(answers(seen.by), nodes.map((one) => one.name).sort());
  t.true(seen.longest_gap_ms < 300, seenBy(seen));
  t.true(seen.failed <= within(300, 2), seenBy(seen));
});

test('upgrade: where a step fails it ends there, and the host stays in maintenance', async (t) => {
  await asAtFirst(lab());
  const hosts = join(folder, 'hosts');
  const variables = join(folder, 'variables.json');
  writeFileSync(
    variables,
    JSON.stringify({ proxyctl_executable: program, proxyctl_upgrade_commands: ['false'] }),
  );
  const { code, stdout } = await play('proxyctl.pair.upgrade', '-i', hosts, '-e', `@${variables}`);
  t.not(code, 0);
  t.regex(stdout, /haproxy02 stays in maintenance and the other serves; remedy: /);
  t.false(stdout.includes('changed: [haproxy01]'), stdout);
  const { json } = await asked(lab(), 'status');
  t.like(json.result?.['maintenance'], [{ node: 'haproxy02' }]);
  await asked(lab(), 'maintenance', 'off', 'haproxy02');
  t.deepEqual(await masters(lab()), [nodeAt(lab(), 0).name]);
});

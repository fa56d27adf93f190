import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ava from 'ava';
import { ran } from '../lab/client.ts';
import { inside, labMissing } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { calm, eventually, exitOf, fault, nodeAt, scene } from '../pair/scene.ts';

// A real Prometheus in the client's place scrapes both agents each second and evaluates the rules.
const RULES = join(CHECKOUT, 'packaging/prometheus');
const DASHBOARD = join(CHECKOUT, 'packaging/grafana/proxyctl.json');
const has = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;

const installed = has('prometheus') && has('promtool');
const { test, lab } = scene({ metrics: true });
const lint = installed ? ava : ava.skip;
const real = installed ? test : ava.serial.skip;
/** Told within so long of the moment, ms. */
const SOON_MS = 10_000;

lint('every rule fires on what it is for and ends with it, and its text says what to do', (t) => {
  const run = (...args: string[]) => spawnSync('promtool', args, { cwd: RULES, encoding: 'utf8' });
  for (const args of [
    ['check', 'rules', 'proxyctl.rules.yml'],
    ['test', 'rules', 'proxyctl.rules.test.yml'],
  ]) {
    const { status, stdout, stderr } = run(...args);
    t.is(status, 0, `${stdout}${stderr}`);
  }
  const of = (file: string, word: RegExp): string[] => [
    ...new Set(
      [...readFileSync(join(RULES, file), 'utf8').matchAll(word)].map(([, name]) => name ?? ''),
    ),
  ];
  t.deepEqual(
    of('proxyctl.rules.test.yml', /alertname: (\w+)/g).sort(),
    of('proxyctl.rules.yml', /alert: (\w+)/g).sort(),
  );
});

const FETCH = `fetch(process.argv[1]).then((r) => r.text()).then((text) => process.stdout.write(text));`;

/** What the Prometheus of this lab answers to a path of its API. */
async function prometheus(path: string): Promise<unknown> {
  const url = `http://127.0.0.1:9090/api/v1/${path}`;
  const { stdout } = await ran(inside(lab(), 'client', [process.execPath, '-e', FETCH, url]));
  return (JSON.parse(stdout || '{}') as { readonly data?: unknown }).data;
}

/** The value of each series, by its labels but for those of the scrape. */
async function query(text: string): Promise<readonly string[]> {
  const data = (await prometheus(`query?query=${encodeURIComponent(text)}`)) as {
    readonly result?: readonly { readonly value: readonly [number, string] }[];
  };
  return (data.result ?? []).map(({ value: [, value] }) => value);
}

const firing = async (name: string): Promise<boolean> =>
  (await query(`ALERTS{alertname="${name}",alertstate="firing"}`)).length > 0;

let stop = async (): Promise<void> => undefined;

ava.serial.before('Prometheus scrapes both agents', async () => {
  if (!installed || labMissing() !== null) return;
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const targets = lab().nodes.map(({ address4 }) => `'${address4}:7662'`);
  const file = join(folder, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${RULES}/proxyctl.rules.yml']
scrape_configs:
  - job_name: proxyctl
    static_configs: [{ targets: [${targets.join(', ')}] }]
`,
  );
  const argv = ['prometheus', `--config.file=${file}`, `--storage.tsdb.path=${folder}/data`];
  const [command = '', ...args] = inside(lab(), 'client', [
    ...argv,
    '--web.listen-address=127.0.0.1:9090',
  ]);
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  await calm(lab());
  await eventually('both targets are up', async () => (await query('up == 1')).length === 2);
});

ava.serial.after.always('Prometheus ends', () => stop());

real(
  'a failover is counted and told within ten seconds, and who is MASTER is right after it',
  async (t) => {
    const at = ['1@vtnet0', nodeAt(lab(), 1).name] as const;
    const held = `proxyctl_address_carp_state{node="${at[1]}",state="MASTER"} == 1`;
    t.deepEqual(await query(held), []);
    t.is(await exitOf(lab(), 'failover', '--to', at[1]), 0);
    await eventually('MASTER there', async () => (await query(held)).length > 0, SOON_MS);
    await eventually('the move is told', () => firing('ProxyctlMoved'), SOON_MS);
    t.deepEqual(await query('sum(proxyctl_address_carp_state{state="MASTER"})'), ['1']);
    t.is(await exitOf(lab(), 'failback'), 0);
    await calm(lab());
  },
);

real('a dead HAProxy is told within ten seconds and ends with it', async (t) => {
  await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 1));
  const name = 'ProxyctlHaproxyNotServing';
  await eventually('it is told', () => firing(name), SOON_MS);
  await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 1));
  await eventually('it ends', async () => !(await firing(name)), SOON_MS);
  await calm(lab());
  t.pass();
});

real('a pause and a drain are seen, and end', async (t) => {
  const paused = 'max(proxyctl_automation_paused)';
  const drained = 'max(proxyctl_server_wishes{wish="drain"})';
  const both = (wanted: string) => async (): Promise<boolean> =>
    (await query(paused))[0] === wanted && (await query(drained))[0] === wanted;
  t.is(await exitOf(lab(), 'pause', '--reason', 'a test'), 0);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 0);
  await eventually('both are told', both('1'), SOON_MS);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  t.is(await exitOf(lab(), 'resume'), 0);
  await eventually('both have ended', both('0'), SOON_MS);
});

real("every panel of Grafana's dashboard has data", async (t) => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    readonly panels: readonly {
      readonly title: string;
      readonly targets: readonly { readonly expr: string }[];
    }[];
  };
  const without: string[] = [];
  for (const { title, targets } of panels)
    for (const { expr } of targets) {
      const text = expr.replaceAll('$pair', '.*').replaceAll('$__rate_interval', '5m');
      const holds = async (): Promise<boolean> =>
        (await query(text)).some((value) => value !== 'NaN');
      await eventually(title, holds).catch(() => without.push(title));
    }
  t.deepEqual(without, []);
  t.true(panels.length > 10);
});

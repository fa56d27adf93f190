import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { proxyctl, ran } from '../lab/client.ts';
import { inside, installedHaproxy, labDown, labOrder, labReport, labUp } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import { tenth } from './figures.ts';

const SIZE = { servers: 10_000, certificates: 2000, addresses: 64 } as const;
/** No turn of the loop may be longer: two heartbeats would be late. */
const LIMIT_MS = 20;
const ROUNDS = 3;
/** An agent that has written nothing for so long stands still, or is gone. */
const WRITTEN_MS = 30_000;
/** Certificates are read once in so long without being asked for. */
const QUIET_MS = 35_000;

type Step = (lab: LabReport) => Promise<void>;

const said =
  (...args: readonly string[]): Step =>
  async (lab) => {
    const { code, stdout, stderr } = await proxyctl(lab, args);
    // Doctor finds something where 64 addresses lie on one interface.
    if (code !== 0 && args[0] !== 'doctor')
      throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}${stdout.slice(0, 400)}`);
  };
const got =
  (port: number, path: string): Step =>
  async (lab) => {
    for (const { address4 } of lab.nodes) {
      const script = `fetch('http://${address4}:${port}${path}').then((r) => r.text()).then((t) => { if (t.length < 1000) throw new Error(t) })`;
      const { code, stderr } = await ran(inside(lab, 'client', [process.execPath, '-e', script]));
      if (code !== 0) throw new Error(`${path}: ${stderr}`);
    }
  };
const reloaded: Step = async (lab) => {
  for (const { name } of lab.nodes) await labOrder(lab.name, { op: 'reload', node: name });
  await sleep(3000);
};
const hup: Step = async (lab) => {
  const { nodes } = await labReport(lab.name);
  for (const { agent_pid: pid } of nodes) if (pid !== null) process.kill(pid, 'SIGHUP');
  await sleep(1000);
};

/** What agents are asked for, and what they do unasked, that grows with what there is. */
const STEPS: readonly (readonly [string, Step])[] = [
  ['nothing', () => sleep(QUIET_MS)],
  ['status', said('status', '-o', 'json')],
  ['explain', said('explain', '-o', 'json')],
  ['history', said('history', '-o', 'json')],
  ['events', said('events', '-o', 'json')],
  ['servers', said('servers', '-o', 'json')],
  ['show stat', said('haproxy', 'show stat')],
  ['cert list', said('cert', 'list', '-o', 'json')],
  ['cert verify', said('cert', 'verify', '-o', 'json')],
  ['doctor', said('doctor', '-o', 'json')],
  ['metrics', got(7662, '/metrics')],
  ['page', got(7663, '/')],
  ['agent reload', hup],
  ['haproxy reload', reloaded],
  ['10,000 drained', said('drain', 'BULK*', '--yes', '--accept-risk=last-server')],
  ['status of wishes', said('status', '-o', 'json')],
  ['doctor of wishes', said('doctor', '-o', 'json')],
  ['page of wishes', got(7663, '/')],
  ['haproxy reload of wishes', reloaded],
  ['10,000 ready', said('ready', 'BULK*', '--yes')],
];

/**
 * The longest turn of two agents' event loops (ms of their own work), by what they were asked for,
 * with 10,000 servers, 2,000 certificates and 64 addresses.
 */
export async function turns(): Promise<unknown> {
  const name = `bt${process.pid}`;
  const lab = await labUp(
    {
      name,
      freebsd: 14,
      preempt: false,
      haproxy: installedHaproxy(),
      nodes: 2,
      addresses: SIZE.addresses,
      bulk: SIZE.servers,
      more: SIZE.certificates,
      metrics: true,
      web: true,
    },
    true,
  );
  const longest: Record<string, number> = {};
  try {
    await sleep(5000);
    for (const [what, step] of STEPS)
      for (let round = 0; round < (what === 'nothing' ? 1 : ROUNDS); round++) {
        for (const file of lagFiles(lab)) rmSync(file, { force: true });
        await step(lab);
        await written(lab);
        longest[what] = Math.max(longest[what] ?? 0, tenth(longestIn(lab)));
        process.stderr.write(`${what}: ${longest[what]} ms\n`);
      }
    return {
      within: Object.values(longest).every((ms) => ms <= LIMIT_MS),
      limit_ms: LIMIT_MS,
      ...SIZE,
      longest_ms: longest,
      node_version: process.versions.node,
    };
  } finally {
    await labDown(name);
  }
}

const lagFiles = (lab: LabReport): string[] =>
  lab.nodes.map(({ agent_config: config }) => join(config, '..', 'lag'));

const linesOf = (file: string): string[] => {
  try {
    return readFileSync(file, 'utf8').trim().split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Resolves once every agent has written its longest turn twice more: the first may have begun before. */
async function written(lab: LabReport): Promise<void> {
  const goals = lagFiles(lab).map((file) => [file, linesOf(file).length + 2] as const);
  for (const deadlineMs = performance.now() + WRITTEN_MS; ; await sleep(100)) {
    const behind = goals.filter(([file, goal]) => linesOf(file).length < goal);
    if (behind.length === 0) return;
    if (performance.now() > deadlineMs) throw new Error(`no turn in ${behind.join(', ')}`);
  }
}

const longestIn = (lab: LabReport): number =>
  Math.max(
    ...lagFiles(lab)
      .flatMap(linesOf)
      .map((line) => (JSON.parse(line) as { blocked_ms: number }).blocked_ms),
  );

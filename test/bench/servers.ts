import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { proxyctl } from '../lab/client.ts';
import { installedHaproxy, labDown, labUp } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import { tenth } from './figures.ts';

const SERVERS = 10_000;
const QUIET_MS = 15_000;
/** The agents' budget with that many servers. */
const LIMIT = { cpu: 5, blockedMs: 50 };

/**
 * What two agents use beside HAProxys with 10,000 servers each: processor time
 * as a share of one core while nothing happens, and the longest time the event
 * loop stood still, then and while operators list all servers, drain whole
 * backends and wait.
 */
export async function servers(): Promise<unknown> {
  const name = `bs${process.pid}`;
  const lab = await labUp(
    { name, freebsd: 14, preempt: false, haproxy: installedHaproxy(), nodes: 2, bulk: SERVERS },
    true,
  );
  try {
    await sleep(3000);
    forget(lab);
    await sleep(QUIET_MS);
    const quiet = figures(lab);
    forget(lab);
    for (let turn = 0; turn < 3; turn++) {
      const backend = `BULK0${turn}`;
      await done(lab, 'servers', '-o', 'json');
      await done(lab, 'drain', backend, '--wait', '--accept-risk=last-server');
      await done(lab, 'ready', backend);
    }
    await sleep(1000);
    const busy = figures(lab);
    const blocked = Math.max(quiet.blocked_ms, busy.blocked_ms);
    return {
      within: quiet.cpu_percent <= LIMIT.cpu && blocked <= LIMIT.blockedMs,
      limits: { cpu_percent: LIMIT.cpu, blocked_ms: LIMIT.blockedMs },
      servers: SERVERS,
      quiet,
      busy,
      node_version: process.versions.node,
    };
  } finally {
    await labDown(name);
  }
}

async function done(lab: LabReport, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await proxyctl(lab, args);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
}

const lagFiles = (lab: LabReport): string[] =>
  lab.nodes.map(({ agent_config: config }) => join(config, '..', 'lag'));

const forget = (lab: LabReport): void => {
  for (const file of lagFiles(lab)) rmSync(file, { force: true });
};

/** The worse of both nodes. */
function figures(lab: LabReport): { cpu_percent: number; blocked_ms: number } {
  const nodes = lagFiles(lab).map((file) => {
    const rows = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { at_ms: number; blocked_ms: number; cpu_ms: number });
    const [first, last] = [rows[0]?.cpu_ms ?? 0, rows.at(-1)?.cpu_ms ?? 0];
    const spanMs = (rows.at(-1)?.at_ms ?? 0) - (rows[0]?.at_ms ?? 0);
    return {
      cpu: (100 * (last - first)) / spanMs,
      blocked: Math.max(...rows.map(({ blocked_ms: ms }) => ms)),
    };
  });
  return {
    cpu_percent: tenth(Math.max(...nodes.map(({ cpu }) => cpu))),
    blocked_ms: tenth(Math.max(...nodes.map(({ blocked }) => blocked))),
  };
}

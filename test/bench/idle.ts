import { chmodSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { proxyctl } from '../lab/client.ts';
import { installedHaproxy, labDown, labUp } from '../lab/lab.ts';
import type { LabReport } from '../lab/report.ts';
import { quantile, rounded, tenth } from './figures.ts';
import { usageOf, type Usage } from './processes.ts';

/** What the agents do after their start is over by then. */
const SETTLE_MS = 20_000;

/** Where the two differ, so does what they may use; shares of one core in per cent. */
const limits = (asPackaged: boolean, observed: boolean) => ({
  cpu: observed ? 0.7 : 0.5,
  memoryMb: observed ? 100 : asPackaged ? 95 : 80,
});

interface Figures {
  readonly node: string;
  /** Shares of one core, per cent: all, the agent's own, and of what it started. */
  readonly cpu: number;
  readonly agent: number;
  readonly started: number;
  readonly staying: number;
  readonly rss_mb: number;
  readonly memory_mb: number;
  readonly children: readonly string[];
}

/**
 * What two agents use of a calm pair: processor time, that of their children included, over
 * `--seconds` (60), and memory at the end, which is the agent's resident memory and what its
 * children have to themselves. CPU time is counted, not waited for, so that what else the machine
 * does hardly matters. `--as-packaged`: the package's bundle without raw-socket; `--icmp ping`;
 * `--observed`: with [metrics], [web] and [[notify]]; `--servers N`; `--addresses N`. Before that the
 * addresses move there and back, so that devd has told the agents something; `--untold`: not, and
 * CARP is read every second. The table goes to standard error. The lab's ifconfig and sysctl are perl: on FreeBSD they cost less.
 */
export async function idle(): Promise<unknown> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      'as-packaged': { type: 'boolean', default: false },
      icmp: { type: 'string', default: 'auto' },
      observed: { type: 'boolean', default: false },
      servers: { type: 'string', default: '0' },
      addresses: { type: 'string', default: '1' },
      untold: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '60' },
    },
  });
  const { observed, untold, 'as-packaged': asPackaged } = values;
  const [servers, seconds, addresses] = [values.servers, values.seconds, values.addresses].map(
    Number,
  ) as [number, number, number];
  const name = `bi${process.pid}`;
  const lab = await labUp(
    {
      name,
      freebsd: 14,
      preempt: false,
      haproxy: installedHaproxy(),
      nodes: 2,
      addresses,
      asPackaged,
      ...(values.icmp === 'ping' ? { icmp: 'ping' as const } : {}),
      ...(servers > 0 ? { bulk: servers } : {}),
      ...(observed ? { metrics: true as const, web: true as const, notify: true } : {}),
    },
    true,
  );
  try {
    if (observed) givesMail(lab);
    if (!untold) await toAndFro(lab);
    await sleep(SETTLE_MS);
    const events = await carpEvents(lab);
    const found = await measured(lab, seconds);
    const limit = limits(asPackaged, observed);
    print(found);
    const [cpu, memory] = [
      quantile(
        found.map((one) => one.cpu),
        0.5,
      ),
      quantile(
        found.map((one) => one.memory_mb),
        0.5,
      ),
    ];
    return {
      as_packaged: asPackaged,
      observed,
      carp_events: events,
      servers,
      addresses,
      seconds,
      cpu_percent: cpu,
      memory_mb: memory,
      limit_cpu_percent: limit.cpu,
      limit_memory_mb: limit.memoryMb,
      within: cpu <= limit.cpu && memory <= limit.memoryMb,
      nodes: found,
      node_version: process.versions.node,
      machine: cpus()[0]?.model ?? '',
    };
  } finally {
    await labDown(name);
  }
}

async function measured(lab: LabReport, seconds: number): Promise<Figures[]> {
  const agents = lab.nodes.map((node) => ({ node: node.name, pid: node.agent_pid ?? 0 }));
  const before = agents.map(({ pid }) => usageOf(pid));
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const tookMs = performance.now() - startMs;
  return agents.map(({ node, pid }, at) => {
    const first = before[at];
    const last = usageOf(pid);
    const share = (part: (usage: Usage) => number): number =>
      rounded(((part(last) - (first === undefined ? 0 : part(first))) / tookMs) * 100, 2);
    return {
      node,
      cpu: share(({ own, ended, living }) => own + ended + living),
      agent: share(({ own }) => own),
      started: share(({ ended }) => ended),
      staying: share(({ living }) => living),
      rss_mb: tenth(last.rssMb),
      memory_mb: tenth(last.rssMb + last.childrenMb),
      children: last.children,
    };
  });
}

/** On a busy machine a move may be refused: what devd has told by then stands in the figures. */
async function toAndFro(lab: LabReport): Promise<void> {
  for (const { name } of lab.nodes.toReversed()) await proxyctl(lab, ['failover', '--to', name]);
}

/** `events` or `polling`, of each node. */
async function carpEvents(lab: LabReport): Promise<string[]> {
  const { stdout } = await proxyctl(lab, ['status', '-o', 'json']);
  return [...stdout.matchAll(/"carp_events": ?"(\w+)"/g)].map(([, word = '']) => word);
}

/** What `[[notify]]` of the lab mails through. */
function givesMail(lab: LabReport): void {
  const path = join(lab.runtime, 'sendmail');
  writeFileSync(path, '#!/bin/sh\nexec cat >/dev/null\n');
  chmodSync(path, 0o755);
}

function print(all: readonly Figures[]): void {
  const columns = ['node', 'cpu %', 'agent %', 'ended %', 'staying %', 'RSS MB', 'memory MB'];
  const lines = all.map((one) =>
    [one.node, one.cpu, one.agent, one.started, one.staying, one.rss_mb, one.memory_mb].map(String),
  );
  for (const line of [columns, ...lines])
    process.stderr.write(`${line.map((cell) => cell.padEnd(11)).join('')}\n`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ran } from '../lab/client.ts';
import { installedHaproxy } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { Cell } from './compare/compare.ts';
import { benchmarksPage, type Figure, type Results } from './page.ts';

/** What one benchmark printed. */
type Printed = Readonly<Record<string, unknown>>;

/** What is run, and which figures of it stand on the page. */
interface Part {
  readonly argv: readonly string[];
  /** With the Node that the package depends on. */
  readonly packaged?: true;
  readonly figures: readonly {
    readonly what: string;
    readonly field: string;
    readonly unit: string;
    readonly limit: number | null;
  }[];
}

const MS = 'ms';
const IDLE = (what: string, cpu: number | null, memory: number | null): Part['figures'] => [
  { what: `${what}: processor`, field: 'cpu_percent', unit: '% of a core', limit: cpu },
  { what: `${what}: memory`, field: 'memory_mb', unit: 'MB', limit: memory },
];

const PARTS: readonly Part[] = [
  { argv: ['start'], figures: [figure('`status`, times `node -e 0`', 'ratio', '', 2)] },
  { argv: ['drain'], figures: [figure('drain ordered', 'drain_ms', MS, 10)] },
  {
    argv: ['swap'],
    figures: [
      figure('one certificate on both hosts', 'one_ms', MS, 50),
      figure('200 certificates on both hosts', 'many_ms', MS, 1500),
      figure('one by socat, host after host', 'socat_one_ms', MS, null),
      figure('200 by socat, host after host', 'socat_many_ms', MS, null),
      figure('200 by a reload of both', 'reload_ms', MS, null),
    ],
  },
  { argv: ['idle'], figures: IDLE('idle agent, raw-socket', 0.5, 80) },
  {
    argv: ['idle', '--as-packaged'],
    packaged: true,
    figures: IDLE('idle agent as packaged, Node 24', 0.5, 95),
  },
  {
    argv: ['idle', '--as-packaged', '--observed'],
    packaged: true,
    figures: IDLE('the same with metrics, page and notify', 0.7, 100),
  },
  { argv: ['idle', '--addresses', '64'], figures: IDLE('idle agent, 64 addresses', null, null) },
  { argv: ['idle', '--servers', '10000'], figures: IDLE('idle agent, 10,000 servers', 3, null) },
];

function figure(
  what: string,
  field: string,
  unit: string,
  limit: number | null,
): Part['figures'][number] {
  return { what, field, unit, limit };
}

/** The Node that the package depends on. */
const PACKAGED = '24';

/**
 * `npm run bench`: every benchmark, one after the other, and docs/benchmarks.md and .json written
 * from them. `rounds` of each scene of the comparison. A benchmark that fails is an error: the
 * page is not written in part.
 */
export async function all(rounds: number): Promise<unknown> {
  const comparison = (await printed(['compare', '--rounds', String(rounds)])) as Printed &
    Results['comparison'] & { readonly cells: readonly Cell[]; readonly keepalived: string | null };
  const figures: Figure[] = [];
  for (const part of PARTS) {
    const figuresOf = await printed(part.argv, part.packaged);
    for (const { field, ...rest } of part.figures) {
      const value = figuresOf[field];
      if (typeof value !== 'number')
        throw new Error(`${part.argv.join(' ')} printed no ${field}: ${JSON.stringify(figuresOf)}`);
      figures.push({ ...rest, value });
    }
  }
  const { contenders, cells } = comparison;
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: await machine(comparison.keepalived),
    comparison: { rounds, contenders, cells },
    figures,
  };
  writeFileSync(join(CHECKOUT, 'docs/benchmarks.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(CHECKOUT, 'docs/benchmarks.md'), benchmarksPage(results));
  return { written: ['docs/benchmarks.md', 'docs/benchmarks.json'] };
}

async function printed(argv: readonly string[], packaged?: true): Promise<Printed> {
  process.stderr.write(`bench ${argv.join(' ')}${packaged ? ` on Node ${PACKAGED}` : ''}\n`);
  const own = [join(CHECKOUT, 'dist/test/bench/main.js'), ...argv];
  const other = [join(CHECKOUT, 'test/node.mjs'), 'bench', PACKAGED, ...argv];
  const child = spawn(process.execPath, packaged ? other : own, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const said = await text(child.stdout);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`bench ${argv.join(' ')} ended with ${code}`);
  // The bundles of another Node start slowly with this one.
  if (packaged) await ran([process.execPath, join(CHECKOUT, 'test/build.mjs'), '--quiet']);
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as Printed;
}

async function machine(keepalived: string | null): Promise<Record<string, string>> {
  const { stdout } = await ran([installedHaproxy(), '-v']);
  const [first] = cpus();
  return {
    processor: `${cpus().length} x ${first?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `Linux ${release()}; the kernel's CARP, ifconfig and sysctl are simulated`,
    Node: process.versions.node,
    HAProxy: /version (\S+)/.exec(stdout)?.[1] ?? 'unknown',
    keepalived: keepalived ?? 'not installed',
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answering } from '../ctl/answering.ts';

const PROXYCTL = fileURLToPath(new URL('../../bin/proxyctl.cjs', import.meta.url));
const RUNS = 15;
/** The rule of the project: not more than this many times what Node alone takes. */
const LIMIT = 2.5;

/**
 * What `proxyctl status` costs to start: the median wall time of 15 runs over a
 * unix socket in an empty environment, as a ratio to `node -e 0` of the same
 * runs, taken in turns. `modules` is the same before it was made one file.
 */
export async function start(): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-bench-'));
  const server = await answering(join(folder, 'agent.sock'));
  try {
    const config = join(folder, 'config.toml');
    writeFileSync(config, `[contexts.web]\nsocket = "${join(folder, 'agent.sock')}"\n`);
    const modules = fileURLToPath(new URL('../../ctl/main.js', import.meta.url));
    const lines = {
      node: ['-e', '0'],
      status: [PROXYCTL, 'status', '--config', config],
      modules: [modules, 'status', '--config', config],
    };
    const taken = { node: [] as number[], status: [] as number[], modules: [] as number[] };
    for (let run = 0; run < RUNS; run++) {
      taken.node.push(await time(lines.node));
      taken.status.push(await time(lines.status));
      taken.modules.push(await time(lines.modules));
    }
    const [node, status] = [median(taken.node), median(taken.status)];
    const ratio = (ms: number): number => Math.round((ms / node) * 100) / 100;
    return {
      ratio: ratio(status),
      limit: LIMIT,
      within: ratio(status) <= LIMIT,
      node_ms: node,
      status_ms: status,
      modules_ratio: ratio(median(taken.modules)),
      runs: RUNS,
      node_version: process.versions.node,
    };
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function time(argv: readonly string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, argv, { env: {}, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}

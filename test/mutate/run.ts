import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Run {
  readonly end: 'passed' | 'failed' | 'time';
  readonly said: string;
  readonly ms: number;
}

const running = new Set<number>();

/** Ends every run under way. */
export function endRuns(): void {
  for (const pid of running) endGroup(pid);
}

/**
 * Runs test files in a shadow, in a process of their own. It ends after `limitMs`, with everything
 * that it started.
 */
export async function runTests(
  shadow: string,
  files: readonly string[],
  limitMs: number,
  coverage: string | null = null,
): Promise<Run> {
  const startedMs = performance.now();
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=512', join(shadow, 'dist/test/mutate/run-tests.js')].concat(
      files.map((file) => join(shadow, file)),
    ),
    {
      cwd: shadow,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(coverage === null ? {} : { NODE_V8_COVERAGE: coverage }) },
    },
  );
  if (child.pid !== undefined) running.add(child.pid);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (some: Buffer) => {
      if (said.length < 20_000) said += some.toString();
    });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(child.pid);
  }, limitMs);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(timer);
  endGroup(child.pid);
  if (child.pid !== undefined) running.delete(child.pid);
  const ms = performance.now() - startedMs;
  return { end: late ? 'time' : code === 0 ? 'passed' : 'failed', said, ms };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody of it is left.
  }
}

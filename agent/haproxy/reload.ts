import { execWithin } from '../sys/exec.ts';
import type { Clock } from '../sys/clock.ts';
import { readInfo } from './info.ts';
import type { Runtime } from './runtime.ts';

/** FreeBSD's rc script checks the whole configuration first: about 0.8 s per 1000 certificates. */
const RELOAD_MS = 30_000;
const ANSWERS_MS = 10_000;
const LOOK_MS = 50;

/**
 * Runs the configured reload and resolves once another process answers on the stats socket.
 * Rejects with a sentence when the command fails, or the old process is still the one that answers.
 */
export async function reloadHaproxy(
  runtime: Runtime,
  argv: readonly string[],
  clock: Clock,
): Promise<void> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error('haproxy.reload is empty in agent.toml');
  const before = (await readInfo(runtime)).pid;
  await execWithin(RELOAD_MS)(program, args);
  for (const endMs = clock.nowMs() + ANSWERS_MS; clock.nowMs() < endMs;) {
    const pid = await readInfo(runtime).then(
      (info) => info.pid,
      () => before,
    );
    if (pid !== before) return;
    await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
  }
  throw new Error(`${argv.join(' ')}: process ${before} still answers after ${ANSWERS_MS} ms`);
}

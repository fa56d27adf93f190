import type { Clock } from '../sys/clock.ts';
import { readInfo } from './info.ts';
import type { Runtime } from './runtime.ts';

const ANSWERS_MS = 10_000;
const LOOK_MS = 50;

/**
 * Runs the reload of agent.toml with the rights it needs, and resolves once another process answers on the stats socket.
 * Rejects with a sentence when the command fails, or the old process is still the one that answers.
 */
export async function reloadHaproxy(
  runtime: Runtime,
  reload: () => Promise<unknown>,
  clock: Clock,
): Promise<void> {
  const before = (await readInfo(runtime)).pid;
  await reload();
  for (const endMs = clock.nowMs() + ANSWERS_MS; clock.nowMs() < endMs;) {
    const pid = await readInfo(runtime).then(
      (info) => info.pid,
      () => before,
    );
    if (pid !== before) return;
    await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
  }
  throw new Error(`haproxy.reload: process ${before} still answers after ${ANSWERS_MS} ms`);
}

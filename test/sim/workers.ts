import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runSeed, type Result, type RunOptions } from './run.ts';

const WORKERS = 2;
const PATH = fileURLToPath(new URL('worker.js', import.meta.url));

/**
 * Runs seeds in child processes, so that every core works, and tells each
 * result as it comes. `more` answers false to end early. Rejects when a child ends by itself.
 */
export async function runSeeds(
  seeds: readonly number[],
  options: RunOptions,
  more: (result: Result) => boolean,
): Promise<void> {
  const rest = [...seeds];
  await Promise.all(
    Array.from(
      { length: Math.min(WORKERS, seeds.length) },
      () =>
        new Promise<void>((resolve, reject) => {
          const child = fork(PATH, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
          const next = (): void => {
            const seed = rest.shift();
            if (seed === undefined) child.disconnect();
            else child.send({ seed, options });
          };
          child.on('message', (message) => {
            const result = message as Result;
            if (!more(result)) rest.length = 0;
            next();
          });
          child.on('error', reject);
          child.on('exit', (code) => {
            if (code === 0) resolve();
            else reject(new Error(`a worker of the simulation ended with ${code}`));
          });
          next();
        }),
    ),
  );
}

/** The first of these seeds that fails with a bug planted and not without it; null for none. */
export async function firstFailure(
  seeds: readonly number[],
  options: RunOptions & { readonly bug: string },
): Promise<Result | null> {
  const { bug: _, ...sound } = options;
  let rest = seeds;
  for (;;) {
    let found: Result | null = null;
    await runSeeds(rest, options, (result) => {
      if (result.violation !== null) found ??= result;
      return found === null;
    });
    const result = found as Result | null;
    if (result === null) return null;
    if ((await runSeed(result.seed, sound)).violation === null) return result;
    rest = rest.filter((seed) => seed !== result.seed);
  }
}

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { finished, PROXYCTL, type Ended } from '../ctl/command.ts';
import { fixture } from '../fixture.ts';

export interface SetupWorld {
  readonly folder: string;
  readonly at: (path: string) => string;
  readonly read: (path: string) => string;
  /** The shipped proxyctl, in this folder, without a terminal. */
  readonly run: (...argv: readonly string[]) => Promise<Ended>;
}

/** A scratch folder with the seed's answers in it, and proxyctl to run there. */
export function setupWorld(t: ExecutionContext): SetupWorld {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-setup-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const at = (path: string): string => join(folder, path);
  writeFileSync(at('answers.toml'), fixture('setup/seed.toml'));
  return {
    folder,
    at,
    read: (path) => readFileSync(at(path), 'utf8'),
    run: (...argv) =>
      finished(
        spawn(process.execPath, [PROXYCTL, ...argv], {
          cwd: folder,
          env: { TZ: 'UTC', HOME: folder, PATH: process.env['PATH'] ?? '' },
          stdio: ['pipe', 'pipe', 'pipe'],
        }),
      ),
  };
}

/** The same with `setup answers.toml --out web` done. */
export async function written(t: ExecutionContext): Promise<SetupWorld> {
  const world = setupWorld(t);
  const { code, stderr } = await world.run('setup', 'answers.toml', '--out', 'web');
  if (code !== 0) throw new Error(`setup ended with ${code}: ${stderr}`);
  return world;
}

/** Variables that a shell has after it read this file; the shell is what rc(8) is written for. */
export function shellReads(shell: string, file: string, names: readonly string[]): string[] {
  const script = '. "$1"; shift; for name; do eval "printf \'%s\\n\' \\"\\$$name\\""; done';
  const { status, stdout, stderr } = spawnSync(shell, ['-euc', script, 'sh', file, ...names], {
    encoding: 'utf8',
    env: {},
  });
  if (status !== 0) throw new Error(`${shell}: ${stderr}`);
  return stdout.split('\n').slice(0, -1);
}

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VERSION } from '../../agent/version.ts';
import { extract, readArchive } from './archive-reader.ts';
import { cloneTree, removeClone } from './clones.ts';

/** What pkg(8) leaves on a host, in a root of its own, before any script of the package has run. */
export interface Unpacked {
  readonly root: string;
  /** A path below /usr/local. */
  readonly at: (path: string) => string;
  /** Scripts of the manifest, by phase. */
  readonly scripts: Readonly<Record<string, string>>;
  /** Runs a program to its end. The Node of these tests stands for FreeBSD's: the first line of the programs is not followed. */
  readonly run: (
    program: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => { readonly code: number | null; readonly stdout: string; readonly stderr: string };
  readonly remove: () => void;
}

/** Builds the package from a clone of the tree and unpacks it. Throws with what the build said. */
export function unpack(): Unpacked {
  // Outside the tree, as on a host: no node_modules above it. Other users may pass through.
  const root = mkdtempSync(join(tmpdir(), 'proxyctl-root-'));
  chmodSync(root, 0o755);
  const clone = cloneTree();
  const built = clone.build();
  if (built.code !== 0) throw new Error(built.stderr);
  const members = readArchive(clone.read(VERSION));
  removeClone(clone);
  extract(members, root);
  const at = (path: string): string => join(root, 'usr/local', path);
  const { scripts } = JSON.parse(String(members[1]?.content)) as Pick<Unpacked, 'scripts'>;
  return {
    root,
    at,
    scripts,
    run(program, args, env = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [at(program), ...args], {
        env,
        encoding: 'utf8',
      });
      return { code: status, stdout, stderr };
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

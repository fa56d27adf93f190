import { execFileSync } from 'node:child_process';

/** What git knows of the tree a package is built from. */
export interface Tree {
  /** Full hash of the commit. */
  readonly commit: string;
  /** The commit's date, seconds since 1970. */
  readonly date: number;
  /** Changed and unknown files, as `git status` names them; ignored ones are not among them. */
  readonly changed: readonly string[];
}

/** Reads the tree at `root`; null where there is no git repository (an unpacked release). */
export function treeAt(root: string): Tree | null {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', root, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  try {
    const [commit = '', date = ''] = git('log', '-1', '--format=%H %ct').trim().split(' ');
    const changed = git('status', '--porcelain', '--untracked-files=all')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.slice(3));
    return { commit, date: Number(date), changed };
  } catch {
    return null;
  }
}

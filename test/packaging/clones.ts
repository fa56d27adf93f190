import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tree these tests were built from. */
export const TREE = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** What a clone is committed at; the package's times are this. */
export const COMMITTED = 1_767_225_600;

export interface Clone {
  readonly path: string;
  /** `npm run package -- ARGS` there. */
  readonly build: (...args: string[]) => {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  };
  /** A package that was built there, by its version. */
  readonly read: (version: string, ending?: 'pkg' | 'tgz') => Buffer;
}

/** The tree at another path, built, in a git repository of its own with one commit. */
export function cloneTree(): Clone {
  // Inside dist: the files it shares with the tree cannot be linked over file systems.
  const folder = join(TREE, 'dist/clones');
  mkdirSync(folder, { recursive: true });
  const path = mkdtempSync(join(folder, 'clone-'));
  const skipped = ['.git', 'dist', 'dist-package', 'node_modules'];
  const sources = readdirSync(TREE).filter((name) => !skipped.includes(name));
  const built = ['agent', 'bin', 'ctl', 'packaging', 'proto'];
  copy('-a', sources, TREE, path);
  copy('-al', ['node_modules'], TREE, path);
  mkdirSync(join(path, 'dist'));
  copy('-al', built, join(TREE, 'dist'), join(path, 'dist'));
  const date = `${COMMITTED} +0000`;
  const env = { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
  const git = (...args: string[]): void =>
    void execFileSync('git', ['-C', path, '-c', 'user.name=x', '-c', 'user.email=x', ...args], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  git('init', '-q');
  git('add', '-A');
  git('-c', 'commit.gpgsign=false', 'commit', '-q', '-m', 'The tree');
  const program = join(path, 'dist/packaging/main.js');
  return {
    path,
    build: (...args) => {
      const { SOURCE_DATE_EPOCH: _none, ...rest } = process.env;
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
        env: rest,
        encoding: 'utf8',
      });
      return { code: status, stdout, stderr };
    },
    read: (version, ending = 'pkg') =>
      readFileSync(join(path, `dist-package/proxyctl-${version}.${ending}`)),
  };
}

/** Takes a clone away. */
export const removeClone = ({ path }: Clone): void => rmSync(path, { recursive: true });

const copy = (how: string, names: readonly string[], from: string, to: string): void =>
  void execFileSync('cp', [how, ...names.map((name) => join(from, name)), to]);

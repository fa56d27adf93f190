import { readFile, readdir, readlink, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { sentence } from '../core/words.ts';
import { execWithin, type Exec } from '../sys/exec.ts';
import { readInfo } from './info.ts';
import type { Runtime } from './runtime.ts';

/** The configuration files of the running HAProxy, in the order in which it reads them. */
export interface StartedWith {
  /** Absolute; directories are their files. */
  readonly files: readonly string[];
  /** Why they are not known for certain; empty: they are. */
  readonly problem: string;
}

interface Sources {
  readonly ask: Runtime;
  /** `haproxy.config` of agent.toml: what is read where the process does not tell. */
  readonly config: string;
  /** Where Linux has its processes; FreeBSD has none and is asked by ps(1). */
  readonly proc?: string;
  readonly exec?: Exec;
  /** The words of a process as root sees it, where this user does not; none: root does not either. */
  readonly byRoot?: (pid: number) => Promise<readonly string[]>;
  /** Why what this process says of itself is not believed; empty: it is. Absent: always. */
  readonly doubts?: (pid: number, files: readonly string[]) => Promise<string>;
}

const PS_MS = 2000;

/**
 * The files that HAProxy was started with, from the command line of the process that answers on
 * its stats socket; asked again when that is another one. Never rejects: where the process table
 * does not say, it is the file of agent.toml, and why.
 */
export function startedWith(sources: Sources): () => Promise<StartedWith> {
  let last: {
    readonly pid: number;
    readonly argv: readonly string[];
    readonly folder: string;
  } | null = null;
  return async () => {
    const configured = (problem: string): Promise<StartedWith> =>
      expanded([sources.config]).then((files) => ({ files, problem }));
    let pid: number;
    try {
      ({ pid } = await readInfo(sources.ask));
    } catch {
      // That it does not answer is said elsewhere.
      return configured('');
    }
    try {
      if (last?.pid !== pid) last = { pid, ...(await commandLine(sources, pid)) };
    } catch (error) {
      return configured(`the command line of process ${pid} cannot be read: ${sentence(error)}`);
    }
    const { files, folder } = configArguments(last.argv);
    const from = resolve(last.folder, folder);
    if (files.length === 0) return configured(`process ${pid} names no configuration file`);
    if (
      from === '' ||
      (last.folder === '' && !isAbsolute(folder) && files.some((one) => !isAbsolute(one)))
    )
      return configured(`process ${pid} names its files relative to a directory that is not known`);
    const all = await expanded(files.map((file) => resolve(from, file)));
    const there = await Promise.all(all.map(isThere));
    if (there.every((one) => one)) {
      const doubt = (await sources.doubts?.(pid, all)) ?? '';
      return doubt === '' ? { files: all, problem: '' } : configured(doubt);
    }
    const missing = all.filter((_, at) => there[at] !== true).join(', ');
    return configured(`HAProxy was started with ${missing}, which is not there for this agent`);
  };
}

/** `-f`, `--` and `-C` of HAProxy's command line (management guide, "Starting HAProxy"). */
export function configArguments(argv: readonly string[]): {
  readonly files: readonly string[];
  readonly folder: string;
} {
  const files: string[] = [];
  let folder = '';
  for (let at = 1; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const next = argv[at + 1] ?? '';
    if (word === '--') {
      files.push(...argv.slice(at + 1));
      break;
    }
    if (word === '-f') files.push(next);
    if (word === '-C') folder = next;
    if (WITH_VALUE.has(word)) at += 1;
  }
  return { files: files.filter((file) => file !== ''), folder };
}
const WITH_VALUE = new Set(['-f', '-C', '-n', '-m', '-N', '-L', '-p', '-x', '-S', '-cc']);

async function commandLine(sources: Sources, pid: number) {
  const { proc = '/proc', exec = execWithin(PS_MS), byRoot } = sources;
  const text = await readFile(join(proc, String(pid), 'cmdline'), 'utf8').catch(() => '');
  if (text !== '') {
    const folder = await readlink(join(proc, String(pid), 'cwd')).catch(() => '');
    return { argv: text.replace(/\0$/, '').split('\0'), folder };
  }
  try {
    const shown = (await exec('ps', ['-ww', '-o', 'args=', '-p', String(pid)])).trim();
    return { argv: shown.split(/\s+/), folder: '' };
  } catch (error) {
    const argv = (await byRoot?.(pid)) ?? [];
    if (argv.length === 0) throw error;
    return { argv, folder: '' };
  }
}

/** Of a directory its regular files NAME.cfg, in the order of bytes, none that is hidden. */
async function expanded(paths: readonly string[]): Promise<string[]> {
  const all = await Promise.all(
    paths.map(async (path) => {
      if (
        !(await stat(path).then(
          (found) => found.isDirectory(),
          () => false,
        ))
      )
        return [path];
      const names = await readdir(path, { withFileTypes: true }).catch(() => []);
      return names
        .filter((one) => !one.isDirectory() && /^[^.].*\.cfg$/.test(one.name))
        .map((one) => join(path, one.name))
        .sort();
    }),
  );
  return all.flat();
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { HIDDEN } from '../core/older.ts';
import { execWithin } from '../sys/exec.ts';
import { configArguments } from './started-with.ts';

/** One line of the process table. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  /** The jail, or the network namespace; empty: not known. */
  readonly place: string;
  readonly words: readonly string[];
}

/**
 * Processes of the same HAProxy besides `pid`, by its configuration files: those it replaced and
 * that still live. Not its master and its own children, not `haproxy -c`, no other jail. Throws a
 * sentence where `pid` itself is not there: a user who may not see it sees no older one either.
 */
export function olderOf(processes: readonly HostProcess[], pid: number): number[] {
  const own = processes.find((one) => one.pid === pid && filesOf(one.words) !== null);
  if (own === undefined) throw new Error(`HAProxy, process ${pid}, ${HIDDEN}`);
  const masters = ancestors(processes, own);
  const files = filesOf(own.words);
  return processes.flatMap((one) => {
    const same = filesOf(one.words) === files && one.place === own.place;
    const related = one.pid === pid || one.parent === pid || masters.has(one.pid);
    return same && !related && !one.words.includes('-c') ? [one.pid] : [];
  });
}

/** Program and configuration files of a command line, as one text; null for no HAProxy. */
function filesOf(words: readonly string[]): string | null {
  const { files } = configArguments(words);
  return files.length === 0 ? null : [basename(words[0] ?? ''), ...files].join('\0');
}

function ancestors(processes: readonly HostProcess[], from: HostProcess): ReadonlySet<number> {
  const found = new Set<number>();
  for (let parent = from.parent; parent > 1 && !found.has(parent);) {
    found.add(parent);
    parent = processes.find(({ pid }) => pid === parent)?.parent ?? 0;
  }
  return found;
}

/** Each column by an option of its own: what follows a `=` is a column's whole title, ps(1). */
const PS = ['-axww', '-o', 'pid=', '-o', 'ppid=', '-o', 'jid=', '-o', 'command='];
const PS_MS = 2000;

/** The process table: /proc of Linux, ps(1) of FreeBSD. Rejects with the cause. */
export const readProcesses = (): Promise<readonly HostProcess[]> =>
  process.platform === 'linux' ? fromProc() : fromPs();

/** Lines of ps(1) with pid, ppid, jid and command; others are left out. */
export const parsePs = (text: string): HostProcess[] =>
  text.split('\n').flatMap((line) => {
    const [, pid, parent, place = '', command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    const words = command.split(/\s+/).filter((word) => word !== '');
    return [{ pid: Number(pid), parent: Number(parent), place, words }];
  });

async function fromPs(): Promise<HostProcess[]> {
  return parsePs(await execWithin(PS_MS)('/bin/ps', PS));
}

async function fromProc(): Promise<HostProcess[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(names.map(ofProc));
  return all.flatMap((one) => one ?? []);
}

/** Null for one that has ended meanwhile, and for those of the kernel, which have no words. */
async function ofProc(name: string): Promise<HostProcess | null> {
  const folder = `/proc/${name}`;
  try {
    const words = (await readFile(`${folder}/cmdline`, 'utf8')).split('\0').slice(0, -1);
    if (filesOf(words) === null) return null;
    const status = await readFile(`${folder}/status`, 'utf8');
    const [, parent = '0'] = /^PPid:\s+(\d+)$/m.exec(status) ?? [];
    // As this PID namespace has it, whichever /proc is of.
    const [, pid = name] = /^NSpid:.*\s(\d+)$/m.exec(status) ?? [];
    const place = await readlink(`${folder}/ns/net`).catch(() => '');
    return { pid: Number(pid), parent: Number(parent), place, words };
  } catch {
    return null;
  }
}

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
 * Processes of the same HAProxy besides `pid`: those it replaced and that still live, by its
 * configuration files, or because it was started to take over from them (`-sf`, `-st`), or they from
 * others. Not its master and its own children, not `haproxy -c`, no other jail. Throws a sentence
 * where `pid` itself is not there: a user who may not see it sees no older one either.
 */
export function olderOf(processes: readonly HostProcess[], pid: number): number[] {
  const own = processes.find((one) => one.pid === pid && filesOf(one.words) !== null);
  if (own === undefined) throw new Error(`HAProxy, process ${pid}, ${HIDDEN}`);
  const masters = ancestors(processes, own);
  const files = filesOf(own.words);
  const replaced = replacedBy(processes, own);
  return processes.flatMap((one) => {
    const isAlike = filesOf(one.words) === files || replaced.has(one.pid);
    const same = isAlike && one.place === own.place;
    const related = one.pid === pid || one.parent === pid || masters.has(one.pid);
    return same && !related && !one.words.includes('-c') ? [one.pid] : [];
  });
}

/** Program and configuration files of a command line, as one text; null for no HAProxy. */
function filesOf(words: readonly string[]): string | null {
  const { files } = configArguments(words);
  return files.length === 0 ? null : [basename(words[0] ?? ''), ...files].join('\0');
}

/**
 * A process of this host's HAProxy that serves the file `config`: no check of it, and no master. Null
 * where none is seen; never rejects. `byRoot` is asked where this user sees none.
 */
export async function servingProcess(
  config: string,
  byRoot: () => Promise<string>,
  read = readProcesses,
): Promise<number | null> {
  const place = await ownPlace();
  for (const source of [read, async () => parsePs(await byRoot())]) {
    const all = await source().catch(() => []);
    const here = place ?? all.find(({ pid }) => pid === process.pid)?.place ?? null;
    const programs = all.filter(({ words }) => isHaproxy(words));
    const found = programs.find(
      (one) =>
        servesFile(one.words, config) &&
        !isMaster(one, programs) &&
        (here ?? one.place) === one.place,
    );
    if (found !== undefined) return found.pid;
  }
  return null;
}

const servesFile = (words: readonly string[], config: string): boolean =>
  !words.includes('-c') && configArguments(words).files.includes(config);

const isHaproxy = ([program = '']: readonly string[]): boolean =>
  basename(program).startsWith('haproxy');

/** A worker has the words of its master, and that as its parent. */
const isMaster = ({ words, parent }: HostProcess, all: readonly HostProcess[]): boolean =>
  words.some((word) => /^-Ws?$/.test(word)) && !all.some(({ pid }) => pid === parent);

/** Null: not of this kind of system. */
const ownPlace = (): Promise<string | null> => placeOf('/proc/self').catch(() => null);

/** "net:[4026531840]", of which ps(1) has the number. */
const placeOf = async (folder: string): Promise<string> =>
  (await readlink(`${folder}/ns/net`)).replaceAll(/\D/g, '');

/** The HAProxy processes that one was told to replace, and those that these were. */
function replacedBy(processes: readonly HostProcess[], from: HostProcess): ReadonlySet<number> {
  const found = new Set<number>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop())
    for (const pid of pidsOf(next.words)) {
      const one = processes.find((other) => other.pid === pid);
      if (one === undefined || found.has(pid) || filesOf(one.words) === null) continue;
      found.add(pid);
      open.push(one);
    }
  return found;
}

/** The numbers behind `-sf` and `-st` of HAProxy's command line. */
function pidsOf(words: readonly string[]): number[] {
  const at = words.findIndex((word) => word === '-sf' || word === '-st');
  const rest = at < 0 ? [] : words.slice(at + 1);
  const end = rest.findIndex((word) => !/^\d+$/.test(word));
  return (end < 0 ? rest : rest.slice(0, end)).map(Number);
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

/**
 * The process table as this user sees it, or where HAProxy's process `pid` is hidden from him, what
 * `byRoot` has of HAProxy's, as `parsePs` reads it (empty: root sees no more). Rejects with the cause.
 */
export async function processesWith(
  pid: number,
  byRoot: () => Promise<string>,
  read = readProcesses,
): Promise<readonly HostProcess[]> {
  let own: readonly HostProcess[] = [];
  let failure: unknown = null;
  try {
    own = await read();
  } catch (error) {
    failure = error;
  }
  if (own.some((one) => one.pid === pid && filesOf(one.words) !== null)) return own;
  const roots = parsePs(await byRoot());
  if (roots.length > 0) return roots;
  if (failure !== null) throw failure;
  return own;
}

/** The words of one process, as root sees it; none where it is not there. `byRoot` as above. */
export const wordsByRoot =
  (byRoot: () => Promise<string>) =>
  async (pid: number): Promise<readonly string[]> =>
    parsePs(await byRoot()).find((one) => one.pid === pid)?.words ?? [];

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
    const place = await placeOf(folder).catch(() => '');
    return { pid: Number(pid), parent: Number(parent), place, words };
  } catch {
    return null;
  }
}

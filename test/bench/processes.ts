import { readdirSync, readFileSync } from 'node:fs';

/** What a process and everything it started has used up to now. */
export interface Usage {
  /** Processor time of its own and of children that have ended, ms. */
  readonly own: number;
  readonly ended: number;
  /** Of children that are there, and of theirs. */
  readonly living: number;
  /** Resident memory of the process, and what its children have to themselves of theirs (PSS), MB. */
  readonly rssMb: number;
  readonly childrenMb: number;
  readonly children: readonly string[];
}

/** USER_HZ: what /proc/PID/stat counts in, whatever the kernel's own tick is. */
const TICK_MS = 10;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly own: number;
  readonly ended: number;
}

/** /proc/PID/stat as proc(5) has it; null: it has ended. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    const ticks = (first: number): number =>
      (Number(fields[first]) + Number(fields[first + 1])) * TICK_MS;
    const name = text.slice(text.indexOf('(') + 1, end);
    return { pid, parent: Number(fields[1]), name, own: ticks(11), ended: ticks(13) };
  } catch {
    return null;
  }
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/**
 * Of a process with its children. The sum over own, ended and living never loses what a child has
 * used: its time goes to its parent when that has waited for it. Throws where the process is gone.
 */
export function usageOf(pid: number): Usage {
  const all = pids().flatMap((one) => statOf(one) ?? []);
  const first = all.find((one) => one.pid === pid);
  if (first === undefined) throw new Error(`process ${pid} has ended`);
  const below = (parent: number): Stat[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  const children = below(pid);
  return {
    own: first.own,
    ended: first.ended,
    living: children.reduce((sum, one) => sum + one.own + one.ended, 0),
    rssMb: megabytes(pid, 'Rss'),
    childrenMb: children.reduce((sum, one) => sum + megabytes(one.pid, 'Pss'), 0),
    children: children.map(({ name }) => name).sort(),
  };
}

/** 0 for one that has ended. */
function megabytes(pid: number, what: 'Rss' | 'Pss'): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

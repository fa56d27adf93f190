import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who a process is, as the kernel says: real, effective, saved and file system id each. */
export interface Identity {
  readonly uids: string;
  readonly gids: string;
  readonly groups: string;
  /** Effective capabilities of Linux, hex. */
  readonly capabilities: string;
}

const fieldOf = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s+(.*)$`, 'm')
    .exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    ?.trim()
    .replaceAll(/\s+/g, ' ') ?? '';

export const identityOf = (pid: number): Identity => ({
  uids: fieldOf(pid, 'Uid'),
  gids: fieldOf(pid, 'Gid'),
  groups: fieldOf(pid, 'Groups'),
  capabilities: fieldOf(pid, 'CapEff'),
});

/** What each open descriptor of a process is: a path, or the kind alone of what has none. */
export const descriptorsOf = (pid: number): ReadonlyMap<number, string> =>
  new Map(
    readdirSync(`/proc/${pid}/fd`).map((fd) => [
      Number(fd),
      readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/^(socket|pipe):.*/, '$1'),
    ]),
  );

/** The privileged helpers that a process started and that live, by pid. */
export function helpersOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isChild = fieldOf(pid, 'PPid') === String(parent);
        return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('helper.sh');
      } catch {
        return false;
      }
    })
    .sort((a, b) => a - b);
}

/** Gone, or dead and not yet reaped. */
export function isGone(pid: number): boolean {
  try {
    return fieldOf(pid, 'State').startsWith('Z');
  } catch {
    return true;
  }
}

import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Whether somebody whom root does not trust could change what `found` is about, a link included. */
export type MayWrite = (found: Stats) => boolean;

/** What Linux shows for an owner that is not in this user namespace (user_namespaces(7), overflowuid). */
const OVERFLOW_UID = 65_534;

/** Nobody in this user namespace can become an owner that it does not map: `/` of one is such. */
export function isUnmapped(uid: number, uidMap: string): boolean {
  const ranges = uidMap
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return (
    uid === OVERFLOW_UID &&
    uidMap.trim() !== '' &&
    !ranges.some(([from = 0, , count = 0]) => uid >= from && uid < from + count)
  );
}

/** Empty where there are no user namespaces. */
function ownUidMap(): string {
  try {
    return readFileSync('/proc/self/uid_map', 'utf8');
  } catch {
    return '';
  }
}

/** Everybody but root. */
export const othersThanRoot: MayWrite = ({ uid, mode }) =>
  (uid !== 0 && !isUnmapped(uid, ownUidMap())) || (mode & 0o022) !== 0;

/** One account with all its groups: what only some third user may write is that user's affair. */
export const byAccount =
  (account: { readonly uid: number; readonly groups: readonly number[] }): MayWrite =>
  ({ uid, gid, mode }) =>
    uid === account.uid ||
    (mode & 0o002) !== 0 ||
    ((mode & 0o020) !== 0 && account.groups.includes(gid));

/** A path that leads where somebody else wants it to; `at` is where that begins. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
  readonly at: string;

  constructor(path: string, at: string) {
    super(at === path ? path : `${path}: ${at}`);
    this.at = at;
  }
}

const LINKS = 32;
const STICKY = 0o1000;

/**
 * The path without symbolic links, once nobody of `mayWrite` can change any part of it: no
 * directory on the way, no link, and not what it names. In a sticky directory on the way, such as
 * /tmp, nobody replaces what is somebody else's (sticky(7)). What is found stays so afterwards,
 * for whoever opens the path that this returns. Throws TrustError, or the system's error where
 * something is not there.
 */
export function plainPath(path: string, mayWrite: MayWrite): string {
  if (!isAbsolute(path)) throw new TrustError(path, path);
  let done = '/';
  let rest = resolve(path).split('/').filter(Boolean);
  let links = 0;
  check(lstatSync(done), done, rest.length === 0);
  while (rest.length > 0) {
    const [name = '', ...behind] = rest;
    const at = join(done, name);
    const found = lstatSync(at);
    if (!found.isSymbolicLink()) {
      check(found, at, behind.length === 0);
      done = at;
      rest = behind;
      continue;
    }
    // A link's own mode means nothing; who owns it could have put another one there.
    if (mayWrite(Object.assign(found, { mode: found.mode & ~0o777 })) || ++links > LINKS)
      throw new TrustError(path, at);
    const target = resolve(dirname(at), readlinkSync(at));
    rest = [...target.split('/').filter(Boolean), ...behind];
    done = '/';
  }
  return done;

  function check(found: Stats, at: string, last: boolean): void {
    const sticky = !last && found.isDirectory() && (found.mode & STICKY) !== 0;
    const judged = sticky ? Object.assign(found, { mode: found.mode & ~0o022 }) : found;
    if (mayWrite(judged)) throw new TrustError(path, at);
  }
}

/** Whether `path` is there and nobody of `mayWrite` can change it or what leads to it. */
export function isKeptFrom(path: string, mayWrite: MayWrite): boolean {
  try {
    plainPath(path, mayWrite);
    return true;
  } catch {
    return false;
  }
}

/** Whether `path` is there and only root can change it or what leads to it. */
export const isRootsAlone = (path: string): boolean => isKeptFrom(path, othersThanRoot);

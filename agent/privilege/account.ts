import { constants } from 'node:fs';
import { chown, lchown, lstat, open, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Exec } from '../sys/exec.ts';
import { CommandError } from '../sys/exec.ts';
import { makeDirectories } from '../sys/files.ts';

/** Whom the agent becomes once it needs root no more. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const ID = '/usr/bin/id';

/**
 * The account named in agent.toml; null for root, which means: stay root. Rejects with cause and
 * remedy when there is none of that name.
 */
export async function accountOf(exec: Exec, name: string): Promise<Account | null> {
  let uid: number;
  let gid: number;
  try {
    [uid = 0, gid = 0] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number(await exec(ID, [flag, name]))),
    );
  } catch (error) {
    if (!(error instanceof CommandError) || error.failure.kind !== 'exit') throw error;
    const remedy = `make it (pw useradd ${name} -d /nonexistent -s /usr/sbin/nologin), or set user`;
    throw new Error(`user = "${name}": no such user; ${remedy}`, { cause: error });
  }
  return uid === 0 ? null : { name, uid, gid };
}

/**
 * Gives up root for ever: groups first, for only root may set them. Throws when the system
 * refuses (a user namespace without that user: EINVAL), or when root could be had back.
 */
export function become(account: Account): void {
  const { name, uid, gid } = account;
  const { initgroups, setgid, setuid, getuid, geteuid, getgid, getegid, seteuid } =
    process as NodeJS.Process & { initgroups?: (user: string, group: number) => void };
  if (!initgroups || !setgid || !setuid || !getuid || !geteuid || !getgid || !getegid || !seteuid)
    throw new Error('this system has no users');
  try {
    initgroups(name, gid);
    setgid(gid);
    setuid(uid);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const remedy = 'where that cannot be, user = "root" in agent.toml keeps root';
    throw new Error(`cannot become ${name} (${code}); ${remedy}`, { cause: error });
  }
  const ids = [getuid(), geteuid(), getgid(), getegid()];
  if (ids.join() !== [uid, uid, gid, gid].join() || canReturn())
    throw new Error(`root was not given up: uids and gids ${ids.join(', ')} as ${name}`);
}

function canReturn(): boolean {
  return [() => process.setuid?.(0), () => process.seteuid?.(0)].some((attempt) => {
    try {
      attempt();
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Makes the state directory the account's, with what an agent that stayed root left there. One
 * that is the account's already is not touched: whoever may write there could plant links.
 */
export async function giveDirectory(path: string, account: Account): Promise<void> {
  makeDirectories(path, 0o700);
  const { uid, mode } = await lstat(path);
  if (uid === account.uid) return;
  if (uid !== 0 || (mode & 0o022) !== 0)
    throw new Error(
      `${path} is not root's alone and not ${account.name}'s: chown -R ${account.name} ${path}`,
    );
  await giveInside(path, account);
  await chown(path, account.uid, account.gid);
}

async function giveInside(path: string, account: Account): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) await giveInside(inside, account);
    await lchown(inside, account.uid, account.gid);
  }
}

/**
 * Makes the log file, which often lies where only root may make files, the account's. In a
 * directory of the account's own it needs no help, and root must not open anything there.
 */
export async function giveLog(path: string, account: Account): Promise<void> {
  if (path === '') return;
  const folder = dirname(path);
  makeDirectories(folder, 0o755);
  if ((await lstat(folder)).uid !== 0)
    throw new Error(`log.file: ${folder} must belong to root, because root opens the log`);
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o640);
  try {
    if ((await file.stat()).isFile()) await file.chown(account.uid, account.gid);
  } finally {
    await file.close();
  }
}

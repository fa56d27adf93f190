import { constants } from 'node:fs';
import { lchown, lstat, open, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Exec } from '../sys/exec.ts';
import { CommandError } from '../sys/exec.ts';
import { makeDirectories } from '../sys/files.ts';
import { byAccount, isRootsAlone, othersThanRoot, plainPath, TrustError } from '../sys/trust.ts';

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

/** Every group of the account: what it may write by them is its own doing. */
export async function groupsOf(exec: Exec, { name, gid }: Account): Promise<readonly number[]> {
  const groups = (await exec(ID, ['-G', name])).trim().split(/\s+/).map(Number);
  return [...new Set([gid, ...groups])];
}

/**
 * Refuses an agent.toml that the account could change, for root runs the commands in it. Throws a
 * sentence.
 */
export async function refuseSteered(exec: Exec, path: string, account: Account): Promise<void> {
  const mayWrite = byAccount({ uid: account.uid, groups: await groupsOf(exec, account) });
  try {
    plainPath(resolve(path), mayWrite);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    const cause = `${path} is not believed: ${account.name} can write ${error.at}`;
    throw new Error(`${cause}; chown root ${error.at}, chmod go-w ${error.at}`, { cause: error });
  }
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
 * that is the account's already is not touched: whoever may write there could plant links. Rejects
 * where a file in it has another name elsewhere, which would be given away with it.
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
}

/** Root's first, so that nobody adds a name while it is looked through; the account's at the end. */
async function giveInside(path: string, account: Account): Promise<void> {
  const folder = await open(path, FOLDER);
  try {
    await folder.chown(0, 0);
    await folder.chmod(0o700);
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries)
      if (entry.isDirectory()) await giveInside(join(path, entry.name), account);
    const files = entries.filter((entry) => !entry.isDirectory());
    const found = await Promise.all(
      files.map(async ({ name }) => ({ inside: join(path, name), ...(await nameOf(path, name)) })),
    );
    for (const { inside, ino, nlink } of found) {
      // state.json and its predecessor may be one file for a moment.
      if (nlink > found.filter((one) => one.ino === ino).length)
        throw new Error(`${inside} is a file that has a name elsewhere too: rm ${inside}`);
    }
    for (const { inside } of found) await lchown(inside, account.uid, account.gid);
    await folder.chown(account.uid, account.gid);
  } finally {
    await folder.close();
  }
}

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

async function nameOf(folder: string, name: string) {
  const { ino, nlink } = await lstat(join(folder, name));
  return { ino, nlink };
}

/**
 * The state directory of an agent that stays root. Throws a sentence where somebody else could lead
 * root from there to any other file.
 */
export function keepDirectory(path: string): void {
  makeDirectories(path, 0o700);
  try {
    plainPath(path, othersThanRoot);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    const cause = `state = "${path}": others than root can write ${error.at}`;
    throw new Error(`${cause}; chown -R root ${path}, chmod go-w ${error.at}`, { cause: error });
  }
}

/**
 * Makes a log file, `key` of agent.toml, the account's; it often lies where only root may make files. Root opens
 * nothing where somebody else can write, and no file with a second name, no link and no pipe.
 */
export async function giveLog(key: string, path: string, account: Account): Promise<void> {
  if (path === '') return;
  const folder = dirname(path);
  makeDirectories(folder, 0o755);
  if (!isRootsAlone(folder))
    throw new Error(`${key}: ${folder} must belong to root, because root opens the log`);
  const file = await open(path, LOG, 0o640);
  try {
    const found = await file.stat();
    if (found.isFile() && found.nlink === 1) await file.chown(account.uid, account.gid);
    else if (found.isFile())
      throw new Error(`${key}: ${path} is a file that has a name elsewhere too: rm ${path}`);
  } finally {
    await file.close();
  }
}

/** The same for a record, `key` of agent.toml; what cannot be opened is no reason not to start: it is an alert then. */
export async function giveRecord(key: string, path: string, account: Account): Promise<void> {
  try {
    await giveLog(key, path, account);
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error)) throw error;
  }
}

/** O_NONBLOCK: a pipe without a reader would be waited for. */
const LOG =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

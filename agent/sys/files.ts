import { existsSync, mkdirSync, statSync } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Replaces a file so that a reader, or a crash at any moment, sees the old or
 * the new content whole: written beside, fsync, rename, fsync of the
 * directory. Mode for a new file; an existing one is replaced by that mode too.
 * `keepAs`: the old file stays under that name. Rejects with the system's
 * error and leaves the old file, and what is kept, as they were; of the new
 * one, which may hold a key, nothing stays where it could not be written.
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  keepAs?: string,
): Promise<void> {
  const beside = `${path}.new`;
  // What has that name is not opened: it may be a link, or a second name of another file.
  await removeIfThere(beside);
  const file = await open(beside, 'wx', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await removeIfThere(beside);
    throw error;
  } finally {
    await file.close();
  }
  if (keepAs !== undefined) await keep(path, keepAs);
  await rename(beside, path);
  await syncDirectory(dirname(path));
}

/** A second name for the same file, in place of what had that name: needs no room and is never half there. */
async function keep(path: string, as: string): Promise<void> {
  const beside = `${as}.new`;
  await removeIfThere(beside);
  try {
    await link(path, beside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  await rename(beside, as);
  // rename(2) does nothing where both names are one file already.
  await removeIfThere(beside);
}

/** unlink(2); with rm() of Node the error of a directory would be one of Node's own. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

/** Makes renames and removals in the directory `path` survive a power cut; fsync(2). */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** True for a system error with that code, as Node reports it. */
export const isSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/**
 * Makes a directory and those above it that are absent; one that is there stays as it is. Throws
 * the system's error, with the path that was asked for, and always ends: Node's own mkdir with
 * `recursive` never does where a file system answers ENOENT in a directory that is there (procfs).
 */
export function makeDirectories(path: string, mode: number): void {
  // Asked first: a file system that is read-only may say that rather than EEXIST.
  if (existsSync(path) && statSync(path).isDirectory()) return;
  const above = dirname(path);
  try {
    // What is there and no directory stays for mkdir to say so: ENOTDIR.
    if (above !== path && !existsSync(above)) makeDirectories(above, mode);
    mkdirSync(path, { mode });
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { path }) : error;
  }
}

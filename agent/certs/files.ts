import { lstat, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isSystemError, syncDirectory } from '../sys/files.ts';
import type { CertificateFiles, NewFile } from './port.ts';
import { several } from './several.ts';

/** A certificate file that could not be read or replaced; the code is the system's, e.g. EROFS. */
export class CertificateFileError extends Error {
  override readonly name = 'CertificateFileError';
  readonly code: string;

  constructor(what: string, path: string, caught: unknown) {
    const code =
      caught instanceof Error && 'code' in caught && typeof caught.code === 'string'
        ? caught.code
        : 'EUNKNOWN';
    super(`${what} ${path}: ${code}`, { cause: caught });
    this.code = code;
  }
}

/** Whether it failed because there is no such file, whoever tried to read it. */
export const isMissing = (error: unknown): boolean =>
  error instanceof CertificateFileError && error.code === 'ENOENT';

/**
 * Certificate files of this host with this process's own rights. Owner and mode of an existing
 * file are kept, a new one gets 0600; a symbolic link stays and the file behind it is replaced.
 */
export const certificateFiles: CertificateFiles = {
  read: (path) => attempt('read', path, () => readFile(path, 'utf8')),

  async stage(files) {
    await several(files, ({ path, pem }) =>
      attempt('write beside', path, () => writeBeside(path, pem)),
    );
  },

  async install(files) {
    const directories = await several(files, (file) =>
      attempt('replace', file.path, () => replace(file)),
    );
    for (const directory of new Set(directories))
      await attempt('sync', directory, () => syncDirectory(directory));
  },

  async unstage(paths) {
    await several(paths, (path) =>
      attempt('remove what was written beside', path, async () =>
        rm(besideOf(await targetOf(path)), { force: true }),
      ),
    );
  },

  remove: (path) =>
    attempt('remove', path, async () => {
      await rm(path, { force: true });
      await syncDirectory(dirname(path));
    }),
};

/** Resolves to the directory whose entry has changed. */
async function replace({ path, pem }: NewFile): Promise<string> {
  const target = await targetOf(path);
  const beside = besideOf(target);
  const staged = await ifThere(() => readFile(beside, 'utf8'));
  if (staged !== pem) await writeBeside(path, pem);
  await rename(beside, target);
  return dirname(target);
}

/**
 * In the same directory, for rename(2). The name starts with a dot: HAProxy leaves such files out
 * when it loads a directory (configuration manual, `crt`).
 */
const besideOf = (target: string): string => join(dirname(target), `.${basename(target)}.proxyctl`);

/** The whole new content, on disk, with owner and mode of the file it is to replace. */
async function writeBeside(path: string, pem: string): Promise<void> {
  const target = await targetOf(path);
  const before = await ifThere(() => stat(target));
  const beside = besideOf(target);
  // What an earlier one left may belong to somebody else.
  await rm(beside, { force: true });
  const handle = await open(beside, 'wx', 0o600);
  try {
    if (before !== null) await handle.chown(before.uid, before.gid);
    await handle.writeFile(pem);
    await handle.chmod(before === null ? 0o600 : before.mode & 0o777);
    await handle.sync();
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** The file behind symbolic links; a dangling one is an error, not a place for a key. */
async function targetOf(path: string): Promise<string> {
  const target = await ifThere(() => realpath(path));
  if (target !== null) return target;
  if ((await ifThere(() => lstat(path))) === null) return path;
  throw Object.assign(new Error('a link to nowhere'), { code: 'ENOENT' });
}

async function ifThere<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

async function attempt<T>(what: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new CertificateFileError(what, path, error);
  }
}

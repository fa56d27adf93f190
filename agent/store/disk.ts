import { readFile, rename } from 'node:fs/promises';
import type { Descriptors } from '../sys/descriptors.ts';
import { isSystemError, makeDirectories, replaceFile } from '../sys/files.ts';

/** Where the state lies: what it asks of a file system. */
export interface Disk {
  /** Makes a directory for this agent alone; one that is there stays as it is. */
  makeDirectory(path: string): Promise<void>;
  /** The whole file; null where there is none. Rejects with the system's error. */
  read(path: string): Promise<string | null>;
  /** Durable and whole once it resolves; before that the old file or the new one. The old one stays as `keepAs`. */
  replace(path: string, content: string, keepAs: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

/** The host's own. */
export const systemDisk: Disk = {
  makeDirectory(path) {
    return new Promise((resolve) => resolve(makeDirectories(path, 0o700)));
  },
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return null;
      throw error;
    }
  },
  replace: (path, content, keepAs) => replaceFile(path, content, 0o600, keepAs),
  rename,
};

/** The same, with the reserve where a file cannot be opened for want of a descriptor. */
export const diskFromReserve = (disk: Disk, { spend }: Descriptors): Disk => ({
  makeDirectory: (path) => disk.makeDirectory(path),
  read: (path) => spend(() => disk.read(path)),
  replace: (path, content, keepAs) => spend(() => disk.replace(path, content, keepAs)),
  rename: (from, to) => disk.rename(from, to),
});

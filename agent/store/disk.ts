import { copyFile, mkdir, readFile, rename } from 'node:fs/promises';
import { isSystemError, replaceFile } from '../sys/files.ts';

/** Where the state lies: the five things it asks of a file system. */
export interface Disk {
  /** Makes a directory for this agent alone; one that is there stays as it is. */
  makeDirectory(path: string): Promise<void>;
  /** The whole file; null where there is none. Rejects with the system's error. */
  read(path: string): Promise<string | null>;
  /** Durable and whole once it resolves; a crash before leaves the old file or the new one. */
  replace(path: string, content: string): Promise<void>;
  /** Neither whole nor durable by itself; nothing where there is no `from`. */
  copy(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

/** The host's own. */
export const systemDisk: Disk = {
  async makeDirectory(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isSystemError(error, 'ENOENT')) return null;
      throw error;
    }
  },
  replace: (path, content) => replaceFile(path, content, 0o600),
  async copy(from, to) {
    try {
      await copyFile(from, to);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  },
  rename,
};

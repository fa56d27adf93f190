import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The text of a file; null where there is none. Throws for one that cannot be read. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Permission bits of a file; null where there is none. */
export function modeOf(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : found.mode & 0o7777;
}

/** "0640" */
export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/**
 * Puts a file in place so that a reader sees the old one or the new one, whole:
 * written beside, synced, renamed. Owner and group of what was there stay.
 */
export function putFile(path: string, text: string, mode: number): void {
  const beside = `${path}.${randomBytes(4).toString('hex')}.new`;
  const before = statSync(path, { throwIfNoEntry: false });
  const file = openSync(beside, 'wx', 0o600);
  try {
    try {
      writeSync(file, text);
      if (before !== undefined && process.getuid?.() === 0)
        fchownSync(file, before.uid, before.gid);
      fchmodSync(file, mode);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

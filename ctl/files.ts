import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
} from 'node:fs';
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

/**
 * What a file has, or what comes out of a pipe to its end; null where that is more than `most`
 * bytes, as of a device without an end. Throws the system's error.
 */
export function readAtMost(path: string, most: number): Buffer | null {
  const file = openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    for (let left = most + 1; left > 0;) {
      const part = Buffer.alloc(Math.min(left, 65_536));
      const length = readSync(file, part);
      if (length === 0) return Buffer.concat(parts);
      parts.push(part.subarray(0, length));
      left -= length;
    }
    return null;
  } finally {
    closeSync(file);
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

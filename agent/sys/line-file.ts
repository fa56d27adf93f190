import { closeSync, constants, fdatasync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from './files.ts';

/** A file that lines are added to. */
export interface LineFile {
  /** With the line end, whole or not at all as far as a reader can tell. Throws the system's error. */
  add(line: string): void;
  /** The next line goes to what has the name then: newsyslog(8) has moved the file away. */
  reopen(): void;
}

/** O_NONBLOCK: a pipe without a reader would be waited for. */
const FLAGS =
  constants.O_RDWR |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * Opened at the first line, and again after an error, so that it is found once there is room or it
 * may be written. A line is in the kernel's hands when `add` returns: this process may die, the
 * host may not, for fsync(2) of a slow disk would stop everything else here; `synced`: it is called
 * behind each line without being waited for.
 */
export function lineFile(path: string, synced = false): LineFile {
  let file: number | null = null;
  /** The last write ended in the middle of a line. */
  let torn = false;

  const close = (): void => {
    if (file !== null) closeSync(file);
    file = null;
  };
  const opened = (): number => {
    // Removed by hand: what is written would be nowhere.
    if (file !== null && fstatSync(file).nlink === 0) close();
    if (file !== null) return file;
    makeDirectories(dirname(path), 0o755);
    const fresh = openSync(path, FLAGS, 0o640);
    if (!fstatSync(fresh).isFile()) {
      closeSync(fresh);
      throw new Error(`${path} is no plain file`);
    }
    file = fresh;
    torn = isTorn(fresh);
    return fresh;
  };
  /** One at a time; what is written during one is of the next. */
  let [syncing, more] = [false, false];
  const sync = (to: number): void => {
    if (syncing) more = true;
    else {
      syncing = true;
      fdatasync(to, () => {
        syncing = false;
        if (more && file !== null) sync(file);
        more = false;
      });
    }
  };
  return {
    add(line) {
      try {
        const to = opened();
        const bytes = Buffer.from(`${torn ? '\n' : ''}${line}\n`);
        for (let at = 0; at < bytes.length;) {
          at += writeSync(to, bytes, at);
          torn = at < bytes.length;
        }
        if (synced) sync(to);
      } catch (error) {
        close();
        throw error;
      }
    },
    reopen: close,
  };
}

/** A process that was killed, or a power cut, left half a line: the next one is not to be part of it. */
function isTorn(file: number): boolean {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  return size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
}

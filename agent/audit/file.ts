import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../sys/files.ts';

/** A file that lines are added to. */
export interface LineFile {
  /** With the line end, whole or not at all as far as a reader can tell. Throws the system's error. */
  add(line: string): void;
  /** The next line goes to what has the name then: newsyslog(8) has moved the file away. */
  reopen(): void;
}

/** O_NONBLOCK: a pipe without a reader would be waited for. */
const FLAGS =
  constants.O_WRONLY |
  constants.O_APPEND |
  constants.O_CREAT |
  constants.O_NOFOLLOW |
  constants.O_NONBLOCK;

/**
 * Opened at the first line, and again after an error, so that it is found once there is room or it
 * may be written. A line is in the kernel's hands when `add` returns: this process may die, the
 * host may not, for fsync(2) of a slow disk would stop everything else here.
 */
export function lineFile(path: string): LineFile {
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
    return fresh;
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
      } catch (error) {
        close();
        throw error;
      }
    },
    reopen: close,
  };
}

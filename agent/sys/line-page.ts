import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { LinePage } from '../core/lines.ts';
import { ActFailure } from '../core/results.ts';
import { sentence } from '../core/words.ts';
import { isSystemError } from './files.ts';

/** Read at a time, so that other things get their turn. */
const CHUNK = 64 << 10;
/** At most so much is looked at, the newest first. */
const MOST_READ = 8 << 20;
/** Of what is found, so much is given: it fits one message. */
const MOST_GIVEN = 2 << 20;
/** A line of another program may have any length; ours have far less. */
const LONGEST_LINE = 64 << 10;
const MOST_NAMES = 3;

/** What the reader of a record makes of one line. */
interface Look {
  /** When it was written, Unix ms. */
  readonly wallMs: number;
  /** It is about what was asked for. */
  readonly wanted: boolean;
}

/** Which lines of a record are asked for. */
export interface LineAsk {
  /** None older than this, Unix ms; null: however old. */
  readonly fromWallMs: number | null;
  /** The newest so many. */
  readonly limit: number;
  /** Null: it is no line of the record, or half of one. */
  readonly look: (line: string) => Look | null;
}

/**
 * The newest lines of `file` and of the one that newsyslog(8) made of it last, if that is not
 * compressed, which are asked for. What cannot be read of them is counted. Rejects with
 * ActFailure, `code`, where the file cannot be read.
 */
export async function linePage(file: string, ask: LineAsk, code: string): Promise<LinePage> {
  const gathering = gather(ask);
  const seen = new Set<string>();
  for (const path of [file, `${file}.0`]) {
    const handle = await opened(path, path === file, code);
    if (handle === null) continue;
    try {
      const { ino, dev, size } = await handle.stat();
      // Turned over between the two: it is the same file.
      if (seen.has(`${dev}:${ino}`)) continue;
      seen.add(`${dev}:${ino}`);
      await backwards(handle, size, gathering);
    } finally {
      await handle.close();
    }
    if (gathering.full !== '') break;
  }
  const { full, unread } = gathering;
  const lines = gathering.lines.reverse();
  const words = unread === 0 ? [] : [`${unread} of its lines cannot be read and are skipped`];
  if (full === 'much') words.push(`older lines of ${file} are not shown`);
  const put = full === '' ? await older(file) : '';
  if (put !== '') words.push(put);
  return { lines, leftOut: words.join('; ') };
}

interface Gathering {
  /** The newest first. */
  readonly lines: string[];
  /** Lines that were come upon and are none. */
  readonly unread: number;
  /** Why no more is wanted: what was asked for is there, or it would be too much. Empty: go on. */
  readonly full: '' | 'enough' | 'much';
  /** A chunk's lines, the newest first. */
  take(lines: readonly string[], bytes: number): void;
}

function gather({ fromWallMs, limit, look }: LineAsk): Gathering {
  const lines: string[] = [];
  let full: Gathering['full'] = '';
  let [read, given, unread] = [0, 0, 0];
  return {
    lines,
    get unread() {
      return unread;
    },
    get full() {
      return full;
    },
    take(chunk, bytes) {
      let young = fromWallMs === null;
      let entries = 0;
      for (const line of chunk) {
        const seen = look(line);
        if (seen === null) {
          if (line !== '') unread += 1;
          continue;
        }
        entries += 1;
        const isYoung = fromWallMs === null || seen.wallMs >= fromWallMs;
        young ||= isYoung;
        if (!isYoung || !seen.wanted) continue;
        if (given + line.length > MOST_GIVEN) full = 'much';
        else if (lines.length >= limit) full = 'enough';
        if (full !== '') return;
        lines.push(line);
        given += line.length;
      }
      read += bytes;
      // Not by one line alone: a clock may have been set.
      if (!young && entries > 0) full = 'enough';
      else if (read >= MOST_READ) full = 'much';
    },
  };
}

/** Gives the lines of a file from its end on. */
async function backwards(handle: FileHandle, size: number, gathering: Gathering): Promise<void> {
  let rest = Buffer.alloc(0);
  for (let end = size; end > 0 && gathering.full === '';) {
    const start = Math.max(0, end - CHUNK);
    const chunk = Buffer.alloc(end - start);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, start);
    const bytes = Buffer.concat([chunk.subarray(0, bytesRead), rest]);
    const first = start === 0 ? -1 : bytes.indexOf(10);
    const whole = first === -1 && start > 0 ? Buffer.alloc(0) : bytes.subarray(first + 1);
    rest = bytes.subarray(0, start === 0 ? 0 : first === -1 ? bytes.length : first + 1);
    if (rest.length > LONGEST_LINE) rest = Buffer.alloc(0);
    gathering.take(whole.toString('utf8').split('\n').reverse(), bytesRead);
    end = start;
  }
}

/** Null where it need not be there. */
async function opened(path: string, must: boolean, code: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    if (!must) return null;
    throw new ActFailure('failed', {
      code,
      message: `${path} cannot be read: ${sentence(error)}`,
      remediation: `ls -l ${path}; it belongs to user of agent.toml`,
    });
  }
}

/** What newsyslog(8) has put away and nobody reads here, as a sentence; empty: nothing. */
async function older(file: string): Promise<string> {
  const name = basename(file);
  const found = await readdir(dirname(file)).catch(() => []);
  const put = found
    .filter((one) => one.startsWith(`${name}.`) && one !== `${name}.0`)
    .sort((a, b) => (a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length));
  if (put.length === 0) return '';
  const named = put.slice(0, MOST_NAMES).map((one) => join(dirname(file), one));
  const more = put.length > MOST_NAMES ? ` and ${put.length - MOST_NAMES} more` : '';
  return `not read: ${named.join(', ')}${more}`;
}

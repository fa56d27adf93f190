import { isUtf8 } from 'node:buffer';
import { createHash, createHmac } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import {
  hashedMark,
  LONGEST_FILE,
  LONGEST_TEXT,
  MOST_FILES,
  PLAIN_MARK,
  secretText,
  withMarks,
  type ConfigFile,
  type ConfigReading,
} from '../core/haproxy-config/reading.ts';
import { masker, type Mark } from '../core/haproxy-config/mask.ts';
import { sentence } from '../core/words.ts';
import { isSystemError } from '../sys/files.ts';
import { othersTurn } from '../sys/turn.ts';
import { readInfo, type Info } from './info.ts';
import type { Runtime } from './runtime.ts';
import type { StartedWith } from './started-with.ts';

/** The configuration files of this host's HAProxy, for people. */
export interface ConfigReader {
  /** Their texts, secrets replaced by hashes with this key. Never rejects: what is amiss is a problem of it. */
  read(key: Uint8Array): Promise<ConfigReading>;
  /** Changes whenever one of them is written or replaced, or is another one. */
  stamp(): Promise<string>;
}

/** So many lines at once: a line with secrets takes 30 us. */
const PIECE = 200;
/** HAProxy counts the time it is up in whole seconds. */
const SECOND_MS = 1000;

/** Reads what HAProxy was started with; `ask` is its socket. */
export function configReader({
  started,
  ask,
  wallMs,
}: {
  readonly started: () => Promise<StartedWith>;
  readonly ask: Runtime;
  readonly wallMs: () => number;
}): ConfigReader {
  return {
    async stamp() {
      const { files } = await started();
      const stamps = await Promise.all(
        files.map((file) =>
          stat(file).then(
            ({ ino, size, mtimeMs, ctimeMs }) => [file, ino, size, mtimeMs, ctimeMs].join(' '),
            (error: unknown) => `${file} ${sentence(error)}`,
          ),
        ),
      );
      return stamps.join('\n');
    },
    async read(key) {
      const { files, problem } = await started();
      const notes = problem === '' ? [] : [`not known for certain to be HAProxy's: ${problem}`];
      const problems: string[] = [];
      const read: Read[] = [];
      let left = LONGEST_TEXT;
      for (const path of files.slice(0, MOST_FILES))
        try {
          const one = await readOne(path, markWith(key));
          left -= Buffer.byteLength(one.text);
          if (left < 0) throw new Unread(`${path} is one too many: ${TOGETHER}`);
          read.push(one);
          notes.push(...one.notes);
        } catch (error) {
          problems.push(whyUnread(path, error));
          if (left < 0) break;
        }
      if (files.length > MOST_FILES)
        problems.push(
          `there are ${files.length} files, and ${MOST_FILES} are read: put several into one`,
        );
      const info = await readInfo(ask).catch(() => null);
      return {
        files: read.map(({ path, text, changedAt }) => ({ path, text, changedAt })),
        problems,
        notes,
        version: await versionOf(read),
        ...loading(read, info, wallMs()),
      };
    },
  };
}

const TOGETHER = `all files together have more than ${LONGEST_TEXT >> 20} MB`;

interface Read extends ConfigFile {
  readonly notes: readonly string[];
  readonly writtenMs: number;
  /** Written, replaced, or its owner or mode changed. */
  readonly touchedMs: number;
}

/** Why a file is not read, as a sentence with what to do. */
class Unread extends Error {}

async function readOne(path: string, mark: Mark): Promise<Read> {
  const file = await open(path, 'r');
  let bytes: Buffer;
  let found: Awaited<ReturnType<typeof file.stat>>;
  try {
    found = await file.stat();
    if (!found.isFile())
      throw new Unread(`${path} is no regular file: name its files in haproxy.config`);
    if (found.size > LONGEST_FILE) throw new Unread(tooLong(path, found.size));
    bytes = await file.readFile();
  } finally {
    await file.close();
  }
  if (bytes.length > LONGEST_FILE) throw new Unread(tooLong(path, bytes.length));
  const isText = isUtf8(bytes);
  // Byte by byte: with one sign for all that is no UTF-8, secrets that differ would look the same.
  const lines = bytes.toString(isText ? 'utf8' : 'latin1').split('\n');
  const ends = lines.filter((line) => line.endsWith('\r')).length;
  const mask = masker(mark);
  const masked: string[] = [];
  for (let at = 0; at < lines.length; at += PIECE) {
    for (const line of lines.slice(at, at + PIECE)) masked.push(mask(line.replace(/\r$/, '')));
    await othersTurn();
  }
  return {
    path,
    text: masked.join('\n'),
    changedAt: new Date(found.mtimeMs).toISOString(),
    writtenMs: found.mtimeMs,
    touchedMs: Math.max(found.mtimeMs, found.ctimeMs),
    notes: [
      ...(isText ? [] : [`${path} is not UTF-8: it is read as ISO 8859-1`]),
      ...(ends === 0 ? [] : [`${path} has ${ends} lines that end in CR LF: shown without CR`]),
    ],
  };
}

const tooLong = (path: string, bytes: number): string =>
  `${path} has ${bytes} bytes, and ${LONGEST_FILE} are read: split it (HAProxy takes a directory), or compare it on the hosts`;

/** A sentence with what to do about it. */
function whyUnread(path: string, error: unknown): string {
  if (error instanceof Unread) return error.message;
  if (isSystemError(error, 'ENOENT'))
    return `${path} is not there: put it back, or correct haproxy.config in agent.toml`;
  if (isSystemError(error, 'EACCES') || isSystemError(error, 'EPERM'))
    return `${path} cannot be read by the user of the agent: give its group the file (chgrp, chmod g+r)`;
  return `${path} cannot be read: ${sentence(error)}`;
}

/** SHA-256 first, as whoever asks about a file of theirs sends it: of what they send nothing can be read. */
const markWith =
  (key: Uint8Array): Mark =>
  (place, value) =>
    hashedMark(keyedHash(key, createHash('sha256').update(secretText(place, value)).digest()));

/** What stands for a secret in an answer to whoever has the key. */
export const keyedHash = (key: Uint8Array, sha256: Uint8Array): string =>
  createHmac('sha256', key).update(sha256).digest('hex').slice(0, 24);

/** Without secrets: who knows all but one of them could try which one gives these digits. */
async function versionOf(files: readonly Read[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { text } of files) {
    hash.update(withMarks(text, () => PLAIN_MARK)).update('\0');
    await othersTurn();
  }
  return hash.digest('hex').slice(0, 12);
}

/** Whether the process that runs began after the files were written. */
function loading(
  files: readonly Read[],
  info: Info | null,
  wallMs: number,
): Pick<ConfigReading, 'startedAt' | 'loaded' | 'why'> {
  if (info === null)
    return { startedAt: '', loaded: 'unknown', why: 'HAProxy does not answer on its stats socket' };
  const startedMs = wallMs - info.upMs;
  const startedAt = new Date(startedMs).toISOString();
  // It may have begun up to a second before: what is within it counts as loaded.
  const later = (ms: number): boolean => ms > startedMs + SECOND_MS;
  const written = files.find(({ writtenMs }) => later(writtenMs));
  if (written !== undefined)
    return {
      startedAt,
      loaded: 'no',
      why: `${written.path} was written after HAProxy began: service haproxy reload`,
    };
  const touched = files.find(({ touchedMs }) => later(touchedMs));
  if (touched === undefined) return { startedAt, loaded: 'yes', why: '' };
  const why = `${touched.path} was replaced, or its owner or mode changed, after HAProxy began`;
  return { startedAt, loaded: 'unknown', why };
}

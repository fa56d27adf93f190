import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { masker } from '../../agent/core/haproxy-config/mask.ts';
import {
  hashedMark,
  LONGEST_FILE,
  MOST_FILES,
  MOST_SECRETS,
  numberedMark,
  PLAIN_MARK,
  secretText,
  withMarks,
} from '../../agent/core/haproxy-config/reading.ts';
import { sentence } from '../../agent/core/words.ts';
import { usage } from '../failure.ts';

/** A text to be compared, and what it is called. */
export interface NamedText {
  readonly path: string;
  readonly text: string;
}

/** Files of this machine that are to be compared with those of the nodes. */
export interface LocalConfig {
  readonly path: string;
  /** What is asked of the agents; none where there are more than they take. */
  readonly secrets: readonly Uint8Array[];
  readonly hasSecrets: boolean;
  /** The texts with these numbers of the secrets, in their order; none: with the plain mark. */
  files(numbers: readonly number[]): readonly NamedText[];
}

/** Reads a file, or of a directory what HAProxy takes of it (NAME.cfg). Throws ActFailure 'usage'. */
export function readLocal(path: string): LocalConfig {
  const secrets = new Map<string, Uint8Array>();
  const hashed = (place: string, value: string): string => {
    const sha256 = createHash('sha256').update(secretText(place, value)).digest();
    const hash = sha256.toString('hex').slice(0, 24);
    secrets.set(hash, sha256);
    return hashedMark(hash);
  };
  const read = pathsOf(path).map((file) => {
    const mask = masker(hashed);
    const lines = textOf(file).split('\n');
    return { path: file, text: lines.map((line) => mask(line.replace(/\r$/, ''))).join('\n') };
  });
  const known = secrets.size <= MOST_SECRETS ? [...secrets.values()] : [];
  const order = new Map([...secrets.keys()].map((hash, at) => [hash, at]));
  return {
    path,
    secrets: known,
    hasSecrets: secrets.size > 0,
    files: (numbers) =>
      read.map(({ path: file, text }) => ({
        path: file,
        text: withMarks(text, (hash) => {
          const number = numbers[order.get(hash) ?? -1];
          return number === undefined ? PLAIN_MARK : numberedMark(number);
        }),
      })),
  };
}

function pathsOf(path: string): string[] {
  let names: string[];
  try {
    if (!statSync(path).isDirectory()) return [path];
    names = readdirSync(path, { withFileTypes: true })
      .filter((one) => !one.isDirectory() && /^[^.].*\.cfg$/.test(one.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw usage(
      `${path} cannot be read`,
      'name a file or a directory of this machine',
      sentence(error),
    );
  }
  if (names.length === 0)
    throw usage(`${path} has no file NAME.cfg`, 'HAProxy takes no others of a directory');
  if (names.length > MOST_FILES)
    throw usage(`${path} has ${names.length} files`, `at most ${MOST_FILES} are compared`);
  return names.map((name) => join(path, name));
}

function textOf(path: string): string {
  let bytes: Buffer;
  try {
    const found = statSync(path);
    if (!found.isFile()) throw new Error('it is no regular file');
    if (found.size > LONGEST_FILE)
      throw new Error(`it has ${found.size} bytes, and ${LONGEST_FILE} are read`);
    bytes = readFileSync(path);
  } catch (error) {
    throw usage(
      `${path} cannot be read`,
      'name a file or a directory of this machine',
      sentence(error),
    );
  }
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

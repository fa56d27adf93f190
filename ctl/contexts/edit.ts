import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'smol-toml';
import { readConfigFile, type ConfigFile, type ContextToml } from '../connect/config-file.ts';
import { usage } from '../failure.ts';
import { putFile, readIfThere } from '../files.ts';

/** config.toml as its owner wrote it, and what it says. */
export interface Contexts {
  readonly path: string;
  readonly text: string;
  readonly said: ConfigFile;
}

/** Throws ActFailure 'usage' for one with mistakes; one that is not there yet is empty. */
export function openContexts(path: string): Contexts {
  const text = readIfThere(path);
  return text === null
    ? { path, text: '', said: { current: undefined, contexts: {} } }
    : { path, text, said: readConfigFile(path) };
}

/** What config.toml shall say; a context that is undefined goes. */
export interface Change {
  readonly name: string;
  readonly context?: ContextToml | undefined;
  /** Absent: as it is. */
  readonly current?: string | undefined;
}

/**
 * Writes config.toml (0600) so that it says what `change` wants and otherwise stays as its owner
 * wrote it, remarks included. Throws ActFailure 'usage', with nothing written, where the place of a
 * context cannot be found because it is written in another form than `[contexts.NAME]`.
 */
export function changeContexts({ path, text, said }: Contexts, change: Change): void {
  const { [change.name]: before, ...others } = said.contexts;
  const contexts =
    change.context === undefined ? others : { ...others, [change.name]: change.context };
  let made = text;
  if (!isDeepStrictEqual(before, change.context)) {
    if (before !== undefined) made = withoutBlock(made, change.name);
    if (change.context !== undefined) made = withBlock(made, change.name, change.context);
  }
  if (said.current !== change.current) made = withCurrent(made, change.current);
  const wanted = {
    ...(change.current === undefined ? {} : { current: change.current }),
    ...(Object.keys(contexts).length === 0 ? {} : { contexts }),
  };
  if (!saysThat(made, wanted))
    throw usage(
      `${path} is written in a form that is not changed here`,
      'change it with an editor',
      `the context ${change.name} does not stand below a line [contexts.${quoted(change.name)}]`,
    );
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  putFile(path, made, 0o600);
}

function saysThat(text: string, wanted: object): boolean {
  try {
    const said = plain(parse(text)) as { contexts?: object };
    if (said.contexts !== undefined && Object.keys(said.contexts).length === 0)
      delete said.contexts;
    return isDeepStrictEqual(said, plain(wanted));
  } catch {
    return false;
  }
}

/** Without prototypes and absent keys, which differ between what is parsed and what is made. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const quoted = (word: string): string => (/^[\w-]+$/.test(word) ? word : JSON.stringify(word));
const value = (one: string | readonly string[]): string =>
  typeof one === 'string' ? JSON.stringify(one) : `[${one.map((each) => value(each)).join(', ')}]`;
const inline = (record: Readonly<Record<string, string | readonly string[]>>): string =>
  `{ ${Object.entries(record)
    .map(([key, one]) => `${quoted(key)} = ${value(one)}`)
    .join(', ')} }`;

function withBlock(text: string, name: string, context: ContextToml): string {
  const lines = Object.entries(context).flatMap(([key, one]) =>
    one === undefined ? [] : [`${key} = ${typeof one === 'object' ? inline(one) : value(one)}`],
  );
  const start = text.trimEnd() === '' ? '' : `${text.trimEnd()}\n\n`;
  return `${start}[contexts.${quoted(name)}]\n${lines.join('\n')}\n`;
}

/** Without the lines from the context's header to the next one. */
function withoutBlock(text: string, name: string): string {
  const lines = text.split('\n');
  const header = (line: string): boolean => /^\s*\[/.test(line);
  const names = [JSON.stringify(name), `'${name}'`, ...(/^[\w-]+$/.test(name) ? [name] : [])];
  const own = (line: string): boolean => {
    const [, key = ''] = /^\s*\[\s*contexts\s*\.\s*(.+?)\s*\]\s*(?:#.*)?$/.exec(line) ?? [];
    return names.includes(key);
  };
  const from = lines.findIndex(own);
  if (from < 0) return text;
  const more = lines.slice(from + 1).findIndex(header);
  const to = more < 0 ? lines.length : from + 1 + more;
  const left = [...lines.slice(0, from), ...lines.slice(to)].join('\n');
  return `${left.trimEnd()}\n`.replace(/^\n$/, '');
}

/** `current` stands above the first header: below one it would belong to that table. */
function withCurrent(text: string, name: string | undefined): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => /^\s*\[/.test(line));
  const at = lines
    .slice(0, first < 0 ? undefined : first)
    .findIndex((line) => /^\s*current\s*=/.test(line));
  if (name === undefined) return lines.filter((_line, index) => index !== at).join('\n');
  const line = `current = ${JSON.stringify(name)}`;
  if (at >= 0) return lines.with(at, line).join('\n');
  return text === '' ? `${line}\n` : `${line}\n\n${text}`;
}

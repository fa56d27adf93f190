import type * as v from 'valibot';
import { nearest } from '../core/words.ts';

/** Where in a TOML file. */
export type Path = readonly (string | number)[];

/** What the reader of one kind of file adds: its schema's entries, and sentences of its own. */
export interface Reader {
  readonly entries: Readonly<Record<string, unknown>>;
  /** The message where `key` is needed and not there. */
  readonly missing: (key: string, issue: v.BaseIssue<unknown>) => string;
  /** What was given for `key`, as it is shown; null: it must not be. */
  readonly shown: (key: string, input: unknown) => string | null;
}

/** valibot's issue in the words of whoever has to mend the file. */
export function explain(issue: v.BaseIssue<unknown>, path: Path, reader: Reader): string {
  const last = String(path.at(-1) ?? '');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const near = nearest(last, siblings(path, reader.entries));
    return near === null ? 'no such key' : `no such key; did you mean ${near}?`;
  }
  if (issue.input === undefined) return reader.missing(last, issue);
  if (issue.type === 'strict_object') return 'must be a table';
  const given = reader.shown(last, issue.input);
  return given === null ? issue.message : `${issue.message}, not ${given}`;
}

/** At most `longest` characters. */
export const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest - 3)}...` : text;

/** Keys that are known where an unknown one was written. */
function siblings(path: Path, all: Reader['entries']): string[] {
  let entries = all;
  for (const part of path.slice(0, -1)) {
    if (typeof part !== 'number') entries = entriesOf(entries[part]) ?? {};
  }
  return Object.keys(entries);
}

function entriesOf(schema: unknown): Reader['entries'] | null {
  if (typeof schema !== 'object' || schema === null) return null;
  if ('entries' in schema) return schema.entries as Reader['entries'];
  if ('wrapped' in schema) return entriesOf(schema.wrapped);
  return 'item' in schema ? entriesOf(schema.item) : null;
}

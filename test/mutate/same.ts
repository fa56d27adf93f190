import { readFileSync } from 'node:fs';

/** A mutant that is the same program, or that no test in seconds can tell from it; and why. */
export interface Same {
  readonly file: string;
  /** The line of the built module, before and after. */
  readonly was: string;
  readonly becomes: string;
  readonly why: string;
}

/**
 * Reads the list: lines of `#` say why for all that follows up to the next empty line; a line that
 * ends in .ts is the file of what follows; `-` is a line, and each `+` after it what it becomes.
 */
export function readSame(path: string): Same[] {
  const list: Same[] = [];
  let [file, was, why] = ['', '', ''];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') why = '';
    else if (line.startsWith('#')) why = `${why} ${line.slice(1).trim()}`.trim();
    else if (line.startsWith('- ')) was = line.slice(2);
    else if (line.startsWith('+ ')) list.push({ file, was, becomes: line.slice(2), why });
    else file = line;
  }
  return list;
}

/** A mutant as the list names it: its line before and after, without what is indented. */
export function linesOf(before: string, after: string, start: number): [string, string] {
  return [lineAt(before, start), lineAt(after, start)];
}

function lineAt(text: string, offset: number): string {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const to = text.indexOf('\n', offset);
  return text.slice(from, to < 0 ? undefined : to).trim();
}

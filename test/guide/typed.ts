import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../lab/plan.ts';

/** One command of a page, as somebody types it. */
export interface Typed {
  /** `laptop`, or a host. */
  readonly place: string;
  readonly line: string;
  /** The heading it stands under. */
  readonly section: string;
}

/** A page of the documents, from the root of the tree. */
export const page = (path: string): string => readFileSync(join(CHECKOUT, path), 'utf8');

interface Fenced {
  readonly line: string;
  readonly section: string;
}

/** The lines within fences without a language, or with that of a shell. */
function fenced(text: string): readonly Fenced[] {
  let section = '';
  let fence: string | null = null;
  return text.split('\n').flatMap((line): readonly Fenced[] => {
    const [, words] = /^ *```(\w*)$/.exec(line) ?? [];
    if (words !== undefined) {
      fence = fence === null ? words : null;
      return [];
    }
    if (fence === null) section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
    return fence === '' || fence === 'sh' ? [{ line, section }] : [];
  });
}

/** What stands behind a prompt, `laptop$ `, `haproxy01# ` or `$ `, in its order. */
export const typedIn = (text: string): readonly Typed[] =>
  fenced(text).flatMap(({ line, section }) => {
    const [, place = '', sign, command = ''] = /^ *([a-z0-9]*)([$#]) (.*)$/.exec(line) ?? [];
    if (sign === undefined || (sign === '#' && place === '')) return [];
    return [{ place: place === '' ? 'laptop' : place, line: command, section }];
  });

/** Lines within fences that have no prompt before them. */
export const unprompted = (text: string): readonly string[] =>
  fenced(text).flatMap(({ line }) => (/^ *[a-z0-9]*[$#] /.test(line) ? [] : [line]));

/** Every command line of proxyctl on a page, with a prompt or without, as words; what is said beside it is left out. */
export function spoken(text: string): readonly (readonly string[])[] {
  const lines: string[] = [];
  for (const { line } of fenced(text)) {
    const before = lines.at(-1);
    if (before?.endsWith('\\') === true) lines[lines.length - 1] = before.slice(0, -1) + line;
    else lines.push(line.replace(/^ *[a-z0-9]*[$#] /, ''));
  }
  return lines.flatMap((line) => {
    const [, rest] = /^ *proxyctl (.*)$/.exec(line.replace(/(\S)  +(?!--)\S.*$/, '$1')) ?? [];
    return rest === undefined ? [] : [wordsOf(rest.replace(/ (?:[|>]|>>|&&|;) .*$/, ''))];
  });
}

/** Words as sh has them: '...', "..." and what stands between blanks. */
const wordsOf = (line: string): string[] =>
  (line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) => word.replaceAll(/["']/g, ''));

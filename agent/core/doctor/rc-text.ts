/** One assignment of rc.conf(5) as sh(1) reads it. */
export interface RcVariable {
  readonly name: string;
  /** Null: only a shell could tell, because it stands in a condition or is added to (`+=`). */
  readonly value: string | null;
  /** First and last line, from 1. */
  readonly line: number;
  readonly end: number;
}

/**
 * Every assignment in the text of an rc.conf: values in quotes, over several lines, several
 * assignments on one. Quotes and continued lines are taken away as sh(1) does; `$` stays as it is.
 * Never throws; a quote that nobody closes goes to the end.
 */
export function rcVariables(text: string): RcVariable[] {
  const found: RcVariable[] = [];
  let at = 0;
  let depth = 0;
  let isBegin = true;
  const lineAt = lineCounter(text);
  while (at < text.length) {
    const letter = text[at] ?? '';
    if (/[\n;&|]/.test(letter)) {
      isBegin = true;
      at += 1;
    } else if (/\s/.test(letter)) at += 1;
    else if (letter === '#') at = lineEnd(text, at);
    else {
      const name = /^([A-Za-z_]\w*)\+?=/.exec(text.slice(at, at + 200));
      const start = at;
      const word = wordAt(text, name === null ? at : at + name[0].length);
      at = Math.max(word.end, at + 1);
      if (name?.[1] !== undefined && isBegin) {
        const isCertain = depth === 0 && !name[0].endsWith('+=');
        found.push({
          name: name[1],
          value: isCertain ? word.value : null,
          line: lineAt(start),
          end: lineAt(word.end),
        });
        continue;
      }
      if (isBegin && OPENS.has(word.value)) depth += 1;
      if (isBegin && CLOSES.has(word.value)) depth = Math.max(0, depth - 1);
      isBegin = isBegin && GOES_ON.has(word.value);
    }
  }
  return found;
}

/** What a name is at the end: the last assignment counts, in the file that is read last. */
export const lastOf = <T extends RcVariable>(variables: readonly T[]): T[] => [
  ...new Map(variables.map((one) => [one.name, one])).values(),
];

const OPENS = new Set(['if', 'case', 'for', 'while', 'until', '{']);
const CLOSES = new Set(['fi', 'esac', 'done', '}']);
/** Words behind which a command begins. */
const GOES_ON = new Set([
  ...OPENS,
  ...CLOSES,
  'then',
  'else',
  'elif',
  'do',
  'export',
  'readonly',
  '!',
]);

/** The line of a place in the text; places are asked for in order. */
function lineCounter(text: string): (at: number) => number {
  let [line, seen] = [1, 0];
  return (at) => {
    for (; seen < at; seen += 1) if (text[seen] === '\n') line += 1;
    return line;
  };
}

const lineEnd = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
};

/** The word of sh(1) that begins there, and where it ends. */
function wordAt(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (letter === '\\' && quote !== "'") {
      const next = text[at + 1] ?? '';
      // Within "..." a backslash is one before any other letter.
      const isEscape = quote === '' || '$`"\\\n'.includes(next);
      if (!isEscape) value += letter;
      else {
        if (next !== '\n') value += next;
        at += 1;
      }
    } else if (letter === quote) quote = '';
    else if (quote === '' && (letter === '"' || letter === "'")) quote = letter;
    else if (quote === '' && /[\s;&|]/.test(letter)) break;
    else value += letter;
  }
  return { value, end: at };
}

/** The words of a value as ifconfig(8) gets them, quotes within it taken off; null: a quote is left open. */
export function valueWords(value: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < value.length; at += 1) {
    const letter = value[at] ?? '';
    if (letter === '\\' && quote !== "'") {
      at += 1;
      word = `${word ?? ''}${value[at] ?? ''}`;
    } else if (letter === quote) quote = '';
    else if (quote === '' && (letter === '"' || letter === "'")) {
      quote = letter;
      word ??= '';
    } else if (quote === '' && /\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = `${word ?? ''}${letter}`;
  }
  if (word !== null) words.push(word);
  return quote === '' ? words : null;
}

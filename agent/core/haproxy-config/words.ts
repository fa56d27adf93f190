/** One word of a line of haproxy.conf, with where it stands. */
export interface Word {
  /** As HAProxy reads it. */
  readonly value: string;
  /** From its first character or quote to behind its last. */
  readonly start: number;
  readonly end: number;
}

/** What a letter after a backslash stands for (configuration manual 2.2, "Quoting and escaping"). */
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * The words of one line as HAProxy reads it, with their places: `'...'` keeps everything, within
 * `"..."` and outside a backslash takes the next letter as it is, `#` outside quotes ends the line.
 * `end`: where the comment begins.
 */
export function placedWords(line: string): {
  readonly words: readonly Word[];
  readonly end: number;
} {
  const words: Word[] = [];
  let value: string | null = null;
  let start = 0;
  let quote = '';
  let at = 0;
  const open = (): string => {
    if (value === null) start = at;
    return value ?? '';
  };
  for (; at < line.length; at += 1) {
    const letter = line[at] ?? '';
    if (letter === '\\' && quote !== "'") {
      const before = open();
      at += 1;
      const next = line[at] ?? '';
      value = before + (ESCAPED[next] ?? next);
    } else if (quote !== '') {
      if (letter === quote) quote = '';
      else value = open() + letter;
    } else if (letter === '"' || letter === "'") {
      value = open();
      quote = letter;
    } else if (letter === '#') break;
    else if (/\s/.test(letter)) {
      if (value !== null) words.push({ value, start, end: at });
      value = null;
    } else value = open() + letter;
  }
  if (value !== null) words.push({ value, start, end: Math.min(at, line.length) });
  return { words, end: at };
}

/** The same without the places. */
export function wordsOf(line: string): { readonly words: readonly string[]; readonly end: number } {
  // Most lines: letter by letter, a file of 10,000 servers would hold the agent up for 0.3 s.
  if (!/[\\'"]/.test(line)) {
    const hash = line.indexOf('#');
    const end = hash < 0 ? line.length : hash;
    return { words: line.slice(0, end).match(/\S+/g) ?? [], end };
  }
  const { words, end } = placedWords(line);
  return { words: words.map(({ value }) => value), end };
}

/** A word as a line of haproxy.conf can have it. */
export const quoted = (word: string): string =>
  word === '' || /[\s#"'\\]/.test(word)
    ? `"${word.replaceAll(/["\\\n\r\t]/g, (one) => `\\${LETTERS[one] ?? one}`)}"`
    : word;

const LETTERS: Readonly<Record<string, string>> = { '\n': 'n', '\r': 'r', '\t': 't' };

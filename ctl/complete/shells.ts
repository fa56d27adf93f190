import type { Candidate } from './candidates.ts';

/** A line as it stands at the cursor, taken apart as the shell would. */
export interface Line {
  /** Without the program; the last one is being written. */
  readonly words: readonly string[];
  /** The last one as it was typed. */
  readonly raw: string;
  /** The quote it stands in; empty for none. */
  readonly quote: string;
}

/** Takes a line of sh, bash or csh apart up to the cursor: quotes and backslashes, nothing else. */
export function splitLine(line: string): Line {
  const words: string[] = [];
  let [word, raw, quote, begun] = ['', '', '', false];
  for (let at = 0; at < line.length; at++) {
    const letter = line[at] ?? '';
    if (quote === '' && /\s/.test(letter)) {
      if (begun) words.push(word);
      [word, raw, begun] = ['', '', false];
      continue;
    }
    [raw, begun] = [raw + letter, true];
    if (quote === '' && (letter === '"' || letter === "'")) quote = letter;
    else if (letter === quote) quote = '';
    else if (letter === '\\' && quote !== "'") {
      at += 1;
      word += line[at] ?? '';
      raw += line[at] ?? '';
    } else word += letter;
  }
  return { words: [...words, word].slice(1), raw, quote };
}

/** A name as it must stand on a line of sh, bash or csh so that it stays one word and itself. */
export function escaped(name: string, quote: string): string {
  if (quote === "'") return name.replaceAll("'", String.raw`'\''`);
  if (quote === '"') return name.replaceAll(/[\\"$`!]/g, String.raw`\$&`);
  return name.replaceAll(/[^\p{L}\p{N}_@%+=:,./-]/gu, String.raw`\$&`);
}

/**
 * Bash replaces only what stands behind the last of its COMP_WORDBREAKS in the word, and an @ with
 * it (readline's special prefixes): that part alone is given to it.
 */
export function forBash(words: readonly string[], line: Line, breaks: string): string[] {
  const typed = line.quote === '' ? line.raw : '';
  const [at, other] = [
    breaks.includes('@') ? typed.lastIndexOf('@') : -1,
    Math.max(...['=', ':'].map((one) => (breaks.includes(one) ? typed.lastIndexOf(one) : -1))),
  ];
  const cut = at > other ? at : other + 1;
  return words.map((word) => {
    const whole = escaped(word, line.quote);
    return whole.startsWith(typed.slice(0, cut)) ? whole.slice(cut) : whole;
  });
}

/** A line for each: the name, and for shells that show it what it is about. */
export const withAbout = (list: readonly Candidate[]): string[] =>
  list.map(({ word, about }) => (about === '' ? word : `${word}\t${about}`));

import { isatty } from 'node:tty';
import { eastAsianWidth } from 'get-east-asian-width';
import { forTerminal } from '../streams.ts';

/** As wide as a screen without a window system: of what is printed where no terminal is. */
const COLUMNS = 80;
/** A terminal that says less is not believed. */
const FEWEST = 20;
/** Longer lines of sentences are hard to read. */
const PROSE = 100;
const ASCII = /^[ -~]*$/;

let onTerminal: boolean | null = null;
/** Made where it is needed: it costs a third of what a short command takes to start. */
let segmenter: Intl.Segmenter | null = null;

/** How wide the terminal is that standard output is; null: it is none. */
export function terminalColumns(): number | null {
  onTerminal ??= isatty(1);
  // Looking at the stream would open it, which costs a millisecond.
  if (!onTerminal) return null;
  return Math.max(FEWEST, process.stdout.columns || COLUMNS);
}

/** How wide a table may be: as the terminal is; 80 where there is none. */
export const columns = (): number => terminalColumns() ?? COLUMNS;

/** How wide sentences may be: as a table, and not over 100. */
export const proseColumns = (): number => Math.min(PROSE, columns());

/**
 * Columns of a terminal that the text takes once it is there (see forTerminal): two for a wide
 * character, none for a combining mark.
 */
export const displayWidth = (text: string): number =>
  ASCII.test(text)
    ? text.length
    : letters(forTerminal(text)).reduce((sum, letter) => sum + letterWidth(letter), 0);

const EMOJI = /\p{Emoji_Presentation}|\uFE0F/u;
const UNSEEN = /[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/gu;

/** Of a letter with its marks: as its first character that is seen. */
function letterWidth(letter: string): number {
  const code = letter.replaceAll(UNSEEN, '').codePointAt(0);
  if (code === undefined) return 0;
  return EMOJI.test(letter) ? 2 : eastAsianWidth(code);
}

/** The text with blanks to this many columns: behind it, or before it where `right`. */
export function padded(text: string, width: number, right = false): string {
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? `${blanks}${text}` : `${text}${blanks}`;
}

/** What a reader takes for one character each: a letter and its marks stay together. */
function letters(text: string): string[] {
  if (ASCII.test(text)) return text.split('');
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The beginning of these letters that fits, and how many they are. */
function fitting(all: readonly string[], width: number): number {
  let left = width;
  const end = all.findIndex((letter) => {
    left -= displayWidth(letter);
    return left < 0;
  });
  return end < 0 ? all.length : end;
}

/** The text, or as much of its beginning as fits with a `~` behind it. */
export function cutEnd(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const all = letters(text);
  return `${all.slice(0, fitting(all, Math.max(0, width - 1))).join('')}~`;
}

/** Cut in the middle, because hosts of one site tend to differ at the end. */
export function shortened(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const all = letters(text);
  const tail = Math.floor((width - 1) / 2);
  const end = fitting(all.toReversed(), tail);
  const start = fitting(all, width - 1 - tail);
  return `${all.slice(0, start).join('')}~${end === 0 ? '' : all.slice(-end).join('')}`;
}

/** The text in pieces of at most this many columns; a letter that is wider is one by itself. */
export function pieces(text: string, width: number): string[] {
  const found: string[] = [];
  for (let rest = letters(text); rest.length > 0;) {
    const end = Math.max(1, fitting(rest, width));
    found.push(rest.slice(0, end).join(''));
    rest = rest.slice(end);
  }
  return found.length === 0 ? [''] : found;
}

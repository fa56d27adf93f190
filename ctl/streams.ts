import { isatty } from 'node:tty';
import { coloured, hasColour } from './render/colour.ts';

/** Where results and progress go. `out` and `err` take whole lines. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
  /** A line on standard error in place of the one before; '' takes it away. Null without a terminal. */
  readonly live: ((line: string) => void) | null;
  /** A whole screen on standard output, in place of the one before on a terminal. */
  screen(text: string): void;
  /** Whole lines on standard output, with states in colour where it may have any. */
  states(text: string): void;
}

/**
 * What may be shown on a terminal: no control characters (names and reasons
 * come from others), and ASCII alone where the locale is not UTF-8.
 */
function printable(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((one) => one);
  const utf8 = /utf-?8/i.test(locale ?? '');
  if (PLAIN.test(text)) return text;
  return Array.from(text, (letter) => {
    const code = letter.codePointAt(0) ?? 0;
    if (letter === '\n' || (code >= 0x20 && code < 0x7f)) return letter;
    return utf8 && code >= 0xa0 && !FORMATTING.test(letter) ? letter : '?';
  }).join('');
}

const PLAIN = /^[\n -~]*$/;
/** Marks that turn the writing direction or are not seen. */
const FORMATTING = /\p{Cf}/u;

/** ECMA-48: EL, and CUP with ED. */
const ERASE_LINE = '\u001B[K';
const HOME_AND_ERASE = '\u001B[H\u001B[J';

/** Text as this process's terminal may see it. */
export const forTerminal = (text: string): string => printable(text, process.env);
const shown = forTerminal;
/** After `shown`, which would take the colours away. */
export const painted = (text: string): string =>
  hasColour(isatty(1), process.env) ? coloured(text) : text;
let wroteOut = false;
let wroteErr = false;

/**
 * Standard output and error of this process. JSON passes as it is. A reader that
 * leaves early (head) is no failure of ours and ends nothing: an act is followed
 * to its end, and its exit code stands. A full disk is one. Each stream is first
 * touched when it is written to, because opening it costs a millisecond.
 */
export const streams: Streams = {
  out(text) {
    if (!wroteOut) process.stdout.on('error', outputFailed);
    wroteOut = true;
    process.stdout.write(text.startsWith('{"') ? text : shown(text));
  },
  err(text) {
    if (!wroteErr) process.stderr.on('error', () => undefined);
    wroteErr = true;
    process.stderr.write(shown(text));
  },
  // Looking at the stream would open it, which costs a millisecond.
  live: isatty(2) ? (line) => void process.stderr.write(`\r${ERASE_LINE}${shown(line)}`) : null,
  screen(text) {
    if (isatty(1)) process.stdout.write(`${HOME_AND_ERASE}${painted(shown(text))}`);
    else streams.out(`${text}\n`);
  },
  states(text) {
    if (!hasColour(isatty(1), process.env)) return streams.out(text);
    if (!wroteOut) process.stdout.on('error', outputFailed);
    wroteOut = true;
    process.stdout.write(painted(shown(text)));
  },
};

function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  streams.err(`proxyctl: standard output cannot be written: ${error.message}\n`);
  process.exitCode =
    process.exitCode === undefined || process.exitCode === 0 ? 1 : process.exitCode;
}

/** Ends the process, at once where everything is written; else when it is. */
export function exit(code: number): void {
  process.exitCode = code;
  if (wroteOut && process.stdout.writableLength > 0) return;
  // Not in this turn: an error of the write that was just made comes in the next.
  setImmediate(() => {
    if (!wroteErr || process.stderr.writableLength === 0) process.exit();
  });
}

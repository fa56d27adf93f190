import { othersTurn } from '../sys/turn.ts';
/** How long one turn may work on a long reply before others get theirs, ms. */
const TURN_MS = 8;
/** The clock is looked at once in so many lines. */
const LINES = 64;

/**
 * Calls `visit` with each line of `text` that is not blank, in order, and lets
 * the event loop turn meanwhile: a reply of 10,000 servers is megabytes, and
 * heartbeats cannot wait for it.
 */
export async function eachLine(text: string, visit: (line: string) => void): Promise<void> {
  let sinceMs = performance.now();
  let lines = 0;
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    const line = end < 0 ? text.slice(start) : text.slice(start, end);
    start = end < 0 ? text.length : end + 1;
    if (line.trim() === '') continue;
    visit(line);
    if (++lines % LINES === 0 && performance.now() - sinceMs > TURN_MS) {
      await othersTurn();
      sinceMs = performance.now();
    }
  }
}

import { displayWidth, pieces, proseColumns } from './width.ts';

/**
 * Broken at spaces so that no line is wider than `columns`, which is the terminal's or 80; what
 * follows is indented by `indent`.
 */
export function wrapped(line: string, indent = 10, columns = proseColumns()): string {
  const lines: string[] = [];
  let current: string | null = null;
  // A narrow screen has room for words, not for blanks.
  const blanks = Math.min(indent, Math.floor(columns / 3));
  const words = line.split(' ').flatMap((word) => pieces(word, columns - blanks));
  for (const word of words) {
    const longer: string = current === null ? word : `${current} ${word}`;
    if (displayWidth(longer) > columns && current !== null && current.trim() !== '') {
      lines.push(current);
      current = `${' '.repeat(blanks)}${word}`;
    } else current = longer;
  }
  return [...lines, current ?? ''].join('\n');
}

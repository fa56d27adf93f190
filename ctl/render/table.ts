import { forTerminal } from '../streams.ts';
import { columns, displayWidth, padded, shortened, terminalColumns } from './width.ts';
import { wrapped } from './wrapped.ts';

interface Layout {
  /** Columns of numbers, aligned to the right. */
  readonly right?: readonly number[];
  /**
   * No line is longer than this; `fits`: than the terminal, or 80 columns where there is none.
   * Absent: than the terminal, and where there is none lines are as long as they are.
   */
  readonly columns?: number | 'fits';
}

/** What is no longer is not cut: a date, a state, a number. */
const SHORTEST = 10;
/** A narrower screen has no room for a table that has to be cut. */
const NARROW = 60;

/**
 * Columns two spaces apart, no lines, no white space at the end. What is too wide is cut in the
 * middle, the widest first; on a narrow screen, or where that is not enough, each row is a block
 * with a line for each cell.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [], columns: given }: Layout = {},
): string {
  const limit =
    given === 'fits' ? columns() : (given ?? terminalColumns() ?? Number.POSITIVE_INFINITY);
  const all = [head, ...rows.map((row) => row.map((cell) => forTerminal(cell)))];
  const widths = head.map((_, at) => Math.max(...all.map((row) => displayWidth(row[at] ?? ''))));
  const total = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  if (total() > limit && limit < NARROW) return blocks(head, rows, limit);
  while (total() > limit) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= SHORTEST) return blocks(head, rows, limit);
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return all
    .map((row) =>
      widths
        .map((width, at) => padded(shortened(row[at] ?? '', width), width, right.includes(at)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A line for each cell that says something; a row without its first cell goes on with the one before. */
function blocks(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  limit: number,
): string {
  const names = head.map((name) => name.trim());
  const indent = Math.max(0, ...names.map(displayWidth)) + 2;
  return rows
    .map((row, at) => {
      const lines = row.flatMap((cell, place) =>
        cell.trim() === ''
          ? []
          : [wrapped(`${padded(names[place] ?? '', indent)}${cell.trim()}`, indent, limit)],
      );
      return `${at > 0 && row[0]?.trim() !== '' ? '\n' : ''}${lines.join('\n')}`;
    })
    .join('\n');
}

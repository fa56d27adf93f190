/** As wide as a screen without a window system. */
export const COLUMNS = 80;

interface Layout {
  /** Columns of numbers, aligned to the right. */
  readonly right?: readonly number[];
  /** Cut names in the middle until a line is no longer than this; absent: lines are as long as they are. */
  readonly columns?: number;
}

const SHORTEST = 8;

/** Columns two spaces apart, no lines, no white space at the end. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { right = [], columns = Number.POSITIVE_INFINITY }: Layout = {},
): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const total = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= SHORTEST) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return all
    .map((row) =>
      widths
        .map((width, at) => {
          const cell = shortened(row[at] ?? '', width);
          return right.includes(at) ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Cut in the middle, because hosts of one site tend to differ at the end. */
export function shortened(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - tail)}~${text.slice(text.length - tail)}`;
}

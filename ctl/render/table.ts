import Table from 'cli-table3';

const PARTS =
  'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid';
const BARE = Object.fromEntries(PARTS.split(' ').map((part) => [part, '']));

/** Columns two spaces apart, no lines, ASCII; `right` names the columns of numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const grid = new Table({
    chars: { ...BARE, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: head.map((_, at) => (right.includes(at) ? 'right' : 'left')),
  });
  grid.push([...head], ...rows.map((row) => [...row]));
  return trimmed(grid.toString());
}

/** No white space at the end of a line. */
const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');

import { SHOW_LIMIT, type ShowAnswer } from '../../agent/core/show-commands.ts';
import { columns as screenColumns, displayWidth, padded } from './width.ts';
import { wrapped } from './wrapped.ts';

/** Longer replies stand one after the other: nobody reads a thousand lines in two columns. */
const BESIDE_LINES = 400;
const BETWEEN = ' | ';

/** What one node's HAProxy printed, line by line. */
interface Column {
  readonly node: string;
  readonly lines: readonly string[];
}

/** The reply as text; NUL bytes, which HAProxy prints after alpn in a crt-list, are left out. */
export const showText = (bytes: Uint8Array): string =>
  Buffer.from(bytes).toString('utf8').replaceAll('\0', '');

/**
 * The screen of `proxyctl haproxy`: the nodes side by side, lines of the same
 * name in one row and `*` where they differ, if that fits the screen; else one
 * node after the other under its name, every line as HAProxy printed it.
 */
export function showScreen({ nodes }: ShowAnswer): string {
  const columns = nodes
    .filter(({ problem }) => problem === '')
    .map(({ node, bytes }) => ({ node, lines: linesOf(bytes) }));
  const notes = nodes.flatMap(({ node, problem, cut }) => {
    if (problem !== '') return [wrapped(`unknown   ${node}: ${problem}`)];
    return cut ? [`cut       ${node}: it goes on, only ${SHOW_LIMIT >> 20} MB are shown`] : [];
  });
  const text = beside(columns) ?? below(columns);
  return `${[text, notes.join('\n')].filter((part) => part !== '').join('\n\n')}\n`;
}

/** Without the empty line that ends a reply. */
const linesOf = (bytes: Uint8Array): string[] => {
  const text = showText(bytes).trimEnd();
  return text === '' ? ['(nothing)'] : text.split('\n').map((line) => line.trimEnd());
};

const below = (columns: readonly Column[]): string =>
  columns.map(({ node, lines }) => [`== ${node}`, ...lines].join('\n')).join('\n\n');

function beside(columns: readonly Column[]): string | null {
  const [left, right] = columns;
  if (columns.length !== 2 || left === undefined || right === undefined) return null;
  if (Math.max(left.lines.length, right.lines.length) > BESIDE_LINES) return null;
  const width = Math.max(...[left.node, ...left.lines].map(displayWidth));
  const other = Math.max(...[right.node, ...right.lines].map(displayWidth));
  if (2 + width + BETWEEN.length + other > screenColumns()) return null;
  const row = (mark: string, one: string, two: string): string =>
    `${mark} ${padded(one, width)}${BETWEEN}${two}`.trimEnd();
  const rows = paired(left.lines, right.lines);
  return [
    row(' ', left.node, right.node),
    ...rows.map(([one, two]) => row(one === two ? ' ' : '*', one ?? '', two ?? '')),
  ].join('\n');
}

/** What a line is about: `Name` of `Name: value`, the first word of columns. */
const nameOf = (line: string): string => /^[^:,\s]*/.exec(line)?.[0] ?? line;

/**
 * Lines of the same name in one row, in both orders, null where one side has
 * none: the longest common subsequence of the names.
 */
function paired(
  left: readonly string[],
  right: readonly string[],
): (readonly [string | null, string | null])[] {
  const [a, b] = [left.map(nameOf), right.map(nameOf)];
  const best = a.map(() => new Uint16Array(b.length + 1));
  best.push(new Uint16Array(b.length + 1));
  const at = (i: number, j: number): number => best[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = best[i];
      if (row !== undefined)
        row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const rows: (readonly [string | null, string | null])[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j])
      rows.push([left[i++] ?? '', right[j++] ?? '']);
    else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1)))
      rows.push([left[i++] ?? '', null]);
    else rows.push([null, right[j++] ?? '']);
  }
  return rows;
}

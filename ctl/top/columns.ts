import { padded, shortened } from '../render/width.ts';
import type { Cell, Sort } from './model.ts';

/** One column of a node: its head, its width, and what stands in it; numbers to the right. */
export interface Column {
  readonly head: string;
  readonly width: number;
  readonly right: boolean;
  readonly sort: Sort | null;
  readonly text: (cell: Cell) => string;
}

const STATE = words('STATE', 10, ({ state }) => state);
const SESSIONS = numbers('SESS', 5, ({ sessions }) => String(sessions), 'sessions');
const QUEUE = numbers('QUEUE', 5, ({ queued }) => String(queued), 'queue');
const RATE = numbers('RATE/S', 6, ({ rate }) => rateText(rate), 'rate');

/** Of each node where all stand side by side. */
export const BESIDE: readonly Column[] = [STATE, SESSIONS, QUEUE, RATE];

const ALONE: readonly Column[] = [
  { ...STATE, width: 12 },
  numbers('WT', 4, ({ weight }) => weight),
  SESSIONS,
  QUEUE,
  RATE,
  words('CHECK', 9, ({ check }) => check),
];
/** In the order in which they are added where there is room. */
const ROOM: readonly Column[] = [
  numbers('5XX', 5, ({ http5xx }) => countText(http5xx)),
  numbers('ERR', 5, ({ errors }) => countText(errors)),
  numbers('MS', 5, ({ responseMs }) => countText(responseMs)),
  numbers('OUT', 6, ({ bytesOut }) => countText(bytesOut)),
  numbers('IN', 6, ({ bytesIn }) => countText(bytesIn)),
];

/** Of one node by itself, as many as fit this width. */
export function aloneWithin(width: number): readonly Column[] {
  const columns = [...ALONE];
  for (const column of ROOM) {
    if (widthOf([...columns, column]) > width) break;
    columns.push(column);
  }
  return columns;
}

function numbers(
  head: string,
  width: number,
  text: (cell: Cell) => string,
  sort: Sort | null = null,
): Column {
  return { head, width, right: true, text, sort };
}

function words(head: string, width: number, text: (cell: Cell) => string): Column {
  return { head, width, right: false, text, sort: null };
}

/** "0.4", "120", "12k"; "-" while it is not known. */
export function rateText(rate: number | null): string {
  if (rate === null) return '-';
  if (rate < 99.95) return rate.toFixed(1);
  return rate < 100_000 ? String(Math.round(rate)) : `${Math.round(rate / 1000)}k`;
}

/** At most five characters: "99999", "1234k", "56M"; "-" where it is not known. */
function countText(count: number | null): string {
  if (count === null) return '-';
  let size = count;
  for (const unit of ['', 'k', 'M', 'G', 'T']) {
    if (size < (unit === '' ? 99_999.5 : 9999.5)) return `${Math.round(size)}${unit}`;
    size /= 1000;
  }
  return 'much';
}

/** Columns of the screen, with the space before each. */
export const widthOf = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width + 1, 0);

const placed = (text: string, { width, right }: Column): string =>
  ` ${padded(shortened(text, width), width, right)}`;

/** The heads; `>` stands before the one that is sorted by. */
export const heads = (columns: readonly Column[], sort: Sort): string =>
  columns
    .map((column) => {
      const head = placed(column.head, column);
      return column.sort === sort ? head.replace(` ${column.head}`, `>${column.head}`) : head;
    })
    .join('');

/** What a node has of one row; a question mark where it has nothing. */
export const cellText = (columns: readonly Column[], cell: Cell | null): string =>
  columns
    .map((column, at) => placed(cell === null ? (at === 0 ? '?' : '') : column.text(cell), column))
    .join('');

import { actOf, isAct } from './acts.ts';
import { windowOf, type Choice, type Row, type Sort } from './model.ts';

/** Keys that are more than one byte, or none that prints (xterm, vt(4)). */
const NAMED: readonly (readonly [string, string])[] = [
  ['\u001B[A', 'up'],
  ['\u001B[B', 'down'],
  ['\u001BOA', 'up'],
  ['\u001BOB', 'down'],
  ['\u001B[5~', 'pageup'],
  ['\u001B[6~', 'pagedown'],
  ['\u001B[H', 'home'],
  ['\u001B[F', 'end'],
  ['\u001B[1~', 'home'],
  ['\u001B[4~', 'end'],
  ['\t', 'tab'],
  ['\r', 'enter'],
  ['\n', 'enter'],
  ['\u007F', 'backspace'],
  ['\b', 'backspace'],
  ['\u0003', 'ctrl-c'],
  ['\u001A', 'ctrl-z'],
];

/** The keys in what a terminal sent: names of those above, 'escape', or the letter itself. */
export function keysOf(text: string): string[] {
  const keys: string[] = [];
  for (let rest = text; rest !== '';) {
    const named = NAMED.find(([bytes]) => rest.startsWith(bytes));
    // What other keys send after an escape is theirs and not typed.
    // oxlint-disable-next-line no-control-regex
    const [sequence] = /^\u001B(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])/.exec(rest) ?? [];
    const [letter = ''] = rest;
    const bytes = named?.[0] ?? sequence ?? letter;
    rest = rest.slice(bytes.length);
    if (named !== undefined) keys.push(named[1]);
    else if (bytes === '\u001B') keys.push('escape');
    else if (sequence === undefined && letter >= ' ') keys.push(letter);
  }
  return keys;
}

/** What the keys move in. */
export interface Extent {
  readonly nodes: number;
  /** All that the choice leaves. */
  readonly rows: readonly Row[];
  /** Rows on the screen. */
  readonly page: number;
}

const SORTS: Readonly<Record<string, Sort>> = {
  n: 'name',
  s: 'sessions',
  u: 'queue',
  r: 'rate',
};

/**
 * The choice after one key; null: quit. Keys that mean nothing leave it as it is. With a new `doing`
 * the operator has agreed to that.
 */
export function pressed(before: Choice, key: string, extent: Extent): Choice | null {
  if (key === 'ctrl-c') return null;
  const choice = before.notice === '' ? before : { ...before, notice: '' };
  if (choice.help) return { ...choice, help: false };
  if (choice.question !== null) {
    const { question } = choice;
    if (key === 'y' || key === 'Y') return { ...choice, question: null, doing: question };
    return { ...choice, question: null, notice: 'nothing was changed' };
  }
  if (choice.typing) return typed(choice, key);
  if (isAct(key)) return asks(choice, key, extent);
  const sort = SORTS[key];
  if (sort !== undefined) return { ...choice, sort, from: 0 };
  switch (key) {
    case 'q':
      return null;
    case '?':
    case 'h':
      return { ...choice, help: true };
    case '/':
      return { ...choice, typing: true };
    case 'escape':
      return { ...choice, filter: '', from: 0, marked: null };
    case 'tab': {
      const next = (choice.node ?? -1) + 1;
      return { ...choice, node: next < extent.nodes ? next : null };
    }
    case 'b':
      return { ...choice, backends: !choice.backends, from: 0, marked: null };
    case 'o':
      return { ...choice, out: !choice.out, from: 0 };
    case 'up':
      return marks(choice, -1, extent);
    case 'down':
      return marks(choice, 1, extent);
    case 'pageup':
      return scrolls(choice, -extent.page, extent);
    case 'pagedown':
    case ' ':
      return scrolls(choice, extent.page, extent);
    case 'home':
      return scrolls(choice, -extent.rows.length, extent);
    case 'end':
      return scrolls(choice, extent.rows.length, extent);
    default:
      return choice;
  }
}

/** The row above or below the marked one; the first that is shown where none is. */
function marks(choice: Choice, step: number, { rows, page }: Extent): Choice {
  const { from, at } = windowOf(choice, rows, page);
  const to = at < 0 ? from : Math.max(0, Math.min(rows.length - 1, at + step));
  const marked = rows[to]?.name ?? null;
  return { ...choice, marked, from: windowOf({ from, marked }, rows, page).from };
}

/** So many rows on, and the mark with them. */
function scrolls(choice: Choice, by: number, { rows, page }: Extent): Choice {
  const { from, at } = windowOf(choice, rows, page);
  const to = Math.max(0, Math.min(rows.length - page, from + by));
  const marked =
    at < 0 ? null : (rows[Math.max(0, Math.min(rows.length - 1, at + by))]?.name ?? null);
  return { ...choice, marked, from: windowOf({ from: to, marked }, rows, page).from };
}

/** The question that comes before an act. */
function asks(choice: Choice, key: string, { rows }: Extent): Choice {
  if (choice.doing !== null) return { ...choice, notice: 'one after the other' };
  const row = rows.find(({ name }) => name === choice.marked);
  if (row === undefined) return { ...choice, notice: 'mark a row first: Up, Down' };
  return { ...choice, question: actOf(key, row) };
}

function typed(choice: Choice, key: string): Choice {
  if (key === 'enter') return { ...choice, typing: false };
  if (key === 'escape') return { ...choice, typing: false, filter: '', from: 0 };
  const { filter } = choice;
  if (key === 'backspace') return { ...choice, filter: filter.slice(0, -1), from: 0 };
  return key.length === 1 ? { ...choice, filter: `${filter}${key}`, from: 0 } : choice;
}

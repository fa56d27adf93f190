import type { Choice, Sort } from './model.ts';

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
  readonly rows: number;
  /** Rows on the screen. */
  readonly page: number;
}

const SORTS: Readonly<Record<string, Sort>> = {
  n: 'name',
  s: 'sessions',
  u: 'queue',
  r: 'rate',
};

/** The choice after one key; null: quit. Keys that mean nothing leave it as it is. */
export function pressed(choice: Choice, key: string, extent: Extent): Choice | null {
  if (key === 'ctrl-c') return null;
  if (choice.help) return { ...choice, help: false };
  if (choice.typing) return typed(choice, key);
  const sort = SORTS[key];
  if (sort !== undefined) return { ...choice, sort, from: 0 };
  const last = Math.max(0, extent.rows - extent.page);
  const to = (from: number): Choice => ({ ...choice, from: Math.max(0, Math.min(last, from)) });
  switch (key) {
    case 'q':
      return null;
    case '?':
    case 'h':
      return { ...choice, help: true };
    case '/':
      return { ...choice, typing: true };
    case 'escape':
      return { ...choice, filter: '', from: 0 };
    case 'tab': {
      const next = (choice.node ?? -1) + 1;
      return { ...choice, node: next < extent.nodes ? next : null };
    }
    case 'b':
      return { ...choice, backends: !choice.backends, from: 0 };
    case 'o':
      return { ...choice, out: !choice.out, from: 0 };
    case 'up':
      return to(choice.from - 1);
    case 'down':
      return to(choice.from + 1);
    case 'pageup':
      return to(choice.from - extent.page);
    case 'pagedown':
    case ' ':
      return to(choice.from + extent.page);
    case 'home':
      return to(0);
    case 'end':
      return to(last);
    default:
      return choice;
  }
}

function typed(choice: Choice, key: string): Choice {
  if (key === 'enter') return { ...choice, typing: false };
  if (key === 'escape') return { ...choice, typing: false, filter: '', from: 0 };
  const { filter } = choice;
  if (key === 'backspace') return { ...choice, filter: filter.slice(0, -1), from: 0 };
  return key.length === 1 ? { ...choice, filter: `${filter}${key}`, from: 0 } : choice;
}

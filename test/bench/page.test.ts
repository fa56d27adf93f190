import test from 'ava';
import type { Cell } from './compare/compare.ts';
import { benchmarksPage } from './page.ts';

const cell = (contender: string, scene: string, change: Partial<Cell> = {}): Cell => ({
  contender,
  scene,
  rounds: 4,
  moved: 4,
  gap_ms: { median: 8, most: 12.5 },
  lost: { median: 0, most: 1 },
  ...change,
});
const contender = (name: string) => ({ name, text: `how ${name} is set up`, moves: 'a word' });

test('the page has every contender in a column, says who is ahead, and which aims are missed', (t) => {
  const page = benchmarksPage({
    date: '2026-11-30',
    machine: { processor: '2 x some', keepalived: '2.2.7' },
    comparison: {
      rounds: 4,
      contenders: ['ours', 'theirs'].map(contender),
      cells: [
        cell('ours', 'planned move'),
        cell('theirs', 'planned move', { gap_ms: { median: 7, most: 30 } }),
        cell('ours', 'its daemon killed', { moved: 0, rounds: 2 }),
      ],
    },
    figures: [{ what: 'drain ordered', value: 12.5, unit: 'ms', limit: 10 }],
  });
  const [, after = ''] = page.split('planned move: a word\n\n');
  t.is(
    after,
    `|                   | ours                           | theirs                |
| ----------------- | ------------------------------ | --------------------- |
| planned move      | 8 (12.5) ms, 0 (1) lost        | 7 (30) ms, 0 (1) lost |
| its daemon killed | stays; 8 (12.5) ms, 0 (1) lost | -                     |

Where others are ahead of the pair, by medians:

- planned move: theirs has 7 ms against 8

## Aims

| what                           | measured | aim    | reached |
| ------------------------------ | -------- | ------ | ------- |
| planned move: longest gap      | 8 ms     | 10 ms  | yes     |
| planned move: lost             | 0        | 0      | yes     |
| its daemon killed: longest gap | 8 ms     | stated |         |
| its daemon killed: lost        | 0        | stated |         |
| drain ordered                  | 12.5 ms  | 10 ms  | **no**  |
`,
  );
});

test('where nobody is ahead the page says so', (t) => {
  const page = benchmarksPage({
    date: '2026-11-30',
    machine: {},
    comparison: { rounds: 1, contenders: [contender('ours')], cells: [cell('ours', 'x')] },
    figures: [],
  });
  t.regex(page, /\nNobody is ahead of the pair in a median of this run\.\n/);
});

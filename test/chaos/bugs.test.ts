import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CHECKOUT } from '../lab/plan.ts';
import { BUGS } from './bugs.ts';

test('the text that a planted bug takes the place of is there once', (t) => {
  const counts = BUGS.map(({ name, file, from }) => ({
    name,
    count: readFileSync(join(CHECKOUT, 'dist', file), 'utf8').split(from).length - 1,
  }));
  t.deepEqual(
    counts,
    BUGS.map(({ name }) => ({ name, count: 1 })),
  );
});

import test from 'ava';
import { ALERTS } from '../../../agent/core/alert.ts';
import { rowsOf } from './page.ts';

test('docs/json.md lists every alert, and how bad it is', (t) => {
  t.deepEqual(
    rowsOf('Alerts').map(([id, severity]) => [id, severity]),
    Object.entries(ALERTS),
  );
});

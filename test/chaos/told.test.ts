import test from 'ava';
import { untold } from './told.ts';
import type { Seen } from './words.ts';

const seen = (...held: readonly (readonly [number, ...string[]])[]): Seen => ({
  nodes: ['one', 'two'],
  fromMs: 0,
  toMs: 20_000,
  attempts: [],
  sessions: [],
  held: held.map(([atMs, ...masters]) => ({ atMs, masters })),
  broken: [],
  paused: [],
});
const move = (at: string, to: string) => ({ at, to, cause: 'agent' });

test('an address that came to a node and stayed is on record', (t) => {
  const moved = seen([0, 'one'], [6000, 'two']);
  const before = [move('1', 'two'), move('2', 'one')];
  t.deepEqual(untold('history', moved, before, [...before, move('3', 'two')]), []);
  t.deepEqual(untold('history', moved, before, before), [
    'two got the address and kept it, and history does not tell it',
  ]);
});

test('what came and went faster than it is read needs no record, nor what was never away', (t) => {
  t.deepEqual(untold('history', seen([0, 'one'], [6000, 'two'], [7000, 'one']), [], []), []);
  t.deepEqual(untold('history', seen([0, 'one'], [6000], [9000, 'one']), [], []), []);
});

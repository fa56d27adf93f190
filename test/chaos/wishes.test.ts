import test from 'ava';
import { Wishes } from './wishes.ts';

const found = (one: string, two: string) =>
  new Map([
    ['one', new Map([['pin', one]])],
    ['two', new Map([['pin', two]])],
  ]);
const fresh = (): Wishes => new Wishes(new Map([['pin', 'none']]));

test('what was acknowledged last is on every node', (t) => {
  const wishes = fresh();
  wishes.done('pin', 'one');
  wishes.done('pin', 'two');
  t.deepEqual(wishes.settle(found('two', 'two')), []);
});

test('an acknowledged wish that is gone is a problem', (t) => {
  const wishes = fresh();
  wishes.done('pin', 'two');
  t.deepEqual(wishes.settle(found('none', 'none')), [
    'pin is none (one none, two none): acknowledged was two',
  ]);
});

test('a wish on one node only is a problem', (t) => {
  const wishes = fresh();
  wishes.unclear('pin', 'two');
  t.deepEqual(wishes.settle(found('two', 'none')), [
    'pin is not the same everywhere: one two, two none',
  ]);
});

test('a wish that nobody got an answer to may hold, also over a later one, until all was looked at', (t) => {
  const wishes = fresh();
  wishes.unclear('pin', 'two');
  wishes.done('pin', 'one');
  t.deepEqual(wishes.settle(found('two', 'two')), []);
  t.deepEqual(wishes.settle(found('one', 'one')), [
    'pin is one (one one, two one): acknowledged was two',
  ]);
});

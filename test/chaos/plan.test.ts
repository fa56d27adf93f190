import test from 'ava';
import { episodeOf } from './plan.ts';

const NODES = ['one', 'two'];

test('a seed has the same episodes each time, another seed has others', (t) => {
  const all = (seed: number) => [1, 2, 3].map((number) => episodeOf(seed, number, NODES));
  t.deepEqual(all(7), all(7));
  t.notDeepEqual(all(7), all(8));
});

test('every fault is switched off before an episode ends', (t) => {
  for (let number = 1; number < 200; number++) {
    const { steps, lengthMs } = episodeOf(3, number, NODES);
    const late = steps.filter(({ atMs, lastsMs }) => atMs + lastsMs > lengthMs);
    t.deepEqual(late, []);
  }
});

import test from 'ava';
import { fuzz } from './run.ts';

// npm run fuzz -- --seed N --count 1000000 is the long one.
test('damaged frames and messages on every door harm nobody and leave nothing behind', async (t) => {
  const { failures, sent, after, asked } = await fuzz(t, 20_261_130, 6000);
  t.log(`${sent} sent, heap ${after.heap}, status at most ${Math.round(asked.longestMs)} ms`);
  t.deepEqual(failures, []);
  t.true(asked.asked > 0);
});

import test from 'ava';
import { runSeed, type Result } from './run.ts';
import { runSeeds } from './workers.ts';

const SEEDS = 300;
test('300 seeded storms of ten minutes each break no invariant', async (t) => {
  t.timeout(600_000);
  const failed: Result[] = [];
  const seeds = Array.from({ length: SEEDS }, (_, at) => at + 1);
  const options = { nodes: null, minutes: 10, lines: { failed: 150, passed: 0 } };
  await runSeeds(seeds, options, (result) => {
    if (result.violation !== null) failed.push(result);
    return failed.length === 0;
  });
  for (const { seed, story } of failed) t.log(`seed ${seed}\n${story}`);
  t.deepEqual(
    failed.map(({ seed, violation }) => ({ seed, violation })),
    [],
  );
});

/** Each broke an invariant once; nodes and minutes as drawn. */
const KEPT = [
  // A copy's report and the host's own heartbeat were read as one agent's word.
  70730521,
  // A disk as it was before: a start with an epoch that had been used.
  70731024,
  // Dead on both hosts: given to the one that had died later, in maintenance.
  70731682,
  // Adverts thought lost: the keeper's HAProxy hung, and it took the other address back.
  70732215,
  // A wish taken back by a host whose clock was three years behind: the other kept it.
  72881158,
  // A link that came back was believed before anybody answered it: three moves in 370 ms.
  72883004,
  // Cut off, started anew and pinned: the host that was in touch fenced itself for it.
  72884784,
  // A drain had ended here when the clock was set back to before its end: it was said and not in force.
  96986564,
  // Echo filtered and no agent in touch: held alone, which HAProxy's socket has no part in.
  96986591,
  // A failback to a degraded host: there, and back again as soon as its pin was taken back.
  34742196,
  // Dead on both, one of them heard nothing: the MASTER lowered itself for nobody.
  34743242,
  // Ready was said while HAProxy hung, and never again: the server stayed in maintenance there.
  34744743,
  // The peer was heard again while the ifconfig ran that was decided on because it was not.
  44630322,
  // It could not be asked, and was demoted: that is a reason of its own.
  35482111,
  // Just started and not answered yet: it was named, took the address and gave it back at once.
  35482226,
  // Lowered as it became BACKUP: ifconfig wrote the state back that it had read, which is no force.
  35483636,
];
for (const seed of KEPT)
  test(`seed ${seed} breaks no invariant any more`, async (t) => {
    t.timeout(120_000);
    const options = { nodes: null, minutes: 10, lines: { failed: 150, passed: 0 } };
    const { violation, story } = await runSeed(seed, options);
    if (violation !== null) t.log(story);
    t.is(violation, null);
  });

test('a copy of the one host whose HAProxy lives runs: the dead one does not keep the address', async (t) => {
  const options = { nodes: null, minutes: 10, lines: { failed: 150, passed: 0 } } as const;
  for (const seed of [14, 17]) {
    const { violation, story } = await runSeed(seed, { ...options, often: 'clone' });
    if (violation !== null) t.log(story);
    t.is(violation, null);
  }
});

test('the same seed tells the same story', async (t) => {
  const options = { nodes: null, minutes: 4, lines: { failed: Infinity, passed: Infinity } };
  const first = await runSeed(7, options);
  const second = await runSeed(7, options);
  t.true(first.story.split('\n').length > 100);
  t.is(first.story, second.story);
});

import { startProbe } from '../lab/client.ts';
import { advskews, exitOf, masters, nodeAt, scene, seenBy, within } from './scene.ts';

for (const freebsd of [13, 15] as const) {
  const { test, lab } = scene({ freebsd });

  test(`FreeBSD ${freebsd}: there and back, no client waits 200 ms`, async (t) => {
    const probe = await startProbe(lab());
    for (const to of [nodeAt(lab(), 1).name, nodeAt(lab(), 0).name]) {
      t.is(await exitOf(lab(), 'failover', '--to', to), 0);
      t.deepEqual(await masters(lab()), [to]);
      await probe.answeredBy(to, 20);
    }
    const seen = await probe.end();
    const { longest_gap_ms: gapMs, failed } = seen;
    t.log(`FreeBSD ${freebsd}: gap ${gapMs} ms, ${failed} failed`);
    t.true(gapMs < 200, seenBy(seen));
    t.true(failed <= within(200, 2), seenBy(seen));
    t.deepEqual(await advskews(lab()), [0, 100]);
    t.is(await exitOf(lab(), 'status', '--check'), 0);
  });
}

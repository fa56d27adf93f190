import { startProbe } from '../lab/client.ts';
import { advskews, asAtFirst, eventually, fault, masters, nodeAt, scene } from '../pair/scene.ts';

// The second path over ping(8), as where raw-socket could not be built.
const { test, lab } = scene({ icmp: 'ping', maxMoves: 100 });

test('a host cut off is replaced within 1.5 s with ping, and does not force itself', async (t) => {
  const gaps: number[] = [];
  for (let time = 0; time < 3; time++) {
    await asAtFirst(lab());
    const first = nodeAt(lab(), 0);
    const probe = await startProbe(lab());
    try {
      await probe.more(600);
      await fault(lab(), 'cut', 'on', first);
      await probe.answeredBy('haproxy02', 100);
      await eventually('it lowers itself', async () => (await advskews(lab()))[0] === 254);
    } finally {
      await fault(lab(), 'cut', 'off', first);
    }
    await eventually(
      'one MASTER when it is back',
      async () => (await masters(lab())).join() === 'haproxy02',
    );
    gaps.push((await probe.end()).longest_gap_ms);
  }
  t.log(`gaps ${gaps.join(', ')} ms`);
  t.true(
    gaps.every((ms) => ms < 1500),
    `${gaps.join(', ')} ms`,
  );
});

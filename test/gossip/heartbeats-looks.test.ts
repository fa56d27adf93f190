import test from 'ava';
import { TIMINGS } from '../../agent/core/timing.ts';
import { heartbeats } from '../../agent/gossip/heartbeats.ts';
import { unheard, viewOf } from '../../agent/gossip/peer.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const timing = TIMINGS.fast;

/** Heartbeats to one peer that is heard when the test says so; what happened, with the time. */
function scene() {
  const clock = new FakeClock();
  const peer = { ...unheard('b'), report: report('b') };
  const record: string[] = [];
  let looks = 0;
  const beats = heartbeats({
    gossip: {
      beat: () => void record.push(`${clock.nowMs()} beat`),
      peers: (nowMs) => {
        looks++;
        return [viewOf(peer, timing, nowMs)];
      },
      contact: () => peer,
    },
    clock,
    timing,
    log: { info: (_event, _fields, said) => void record.push(`${clock.nowMs()} ${said}`) },
    because: () => '',
    onChange: () => void record.push(`${clock.nowMs()} changed`),
  });
  const hear = (): void => {
    peer.heardAtMs = clock.nowMs();
    peer.currentAtMs = clock.nowMs();
  };
  /** What happened since the last call. */
  const since = (): string[] => record.splice(0);
  return { clock, hear, beats, since, peer, looks: () => looks };
}

test('a heartbeat every 100 ms, whatever else is looked at', async (t) => {
  const { clock, since, beats } = scene();
  await clock.advance(350);
  t.deepEqual(
    since().filter((one) => one.endsWith('beat')),
    ['0 beat', '100 beat', '200 beat', '300 beat'],
  );
  beats.stop();
  t.deepEqual(clock.sleeping(), []);
});

for (const phase of [10, 60, 95])
  test(`while a peer is heard in time, ${phase} ms after ours, nobody looks at it`, async (t) => {
    const { clock, hear, looks } = scene();
    for (let ms = 0; ms < 2000; ms += 100) {
      await clock.advance(phase);
      hear();
      await clock.advance(100 - phase);
    }
    t.true(looks() <= 6, `${looks()} looks in 2 s, those before it was heard with them`);
  });

test('of two starts of a peer that go on side by side it is looked at, however often they are heard', async (t) => {
  const { clock, hear, peer, looks, since } = scene();
  for (let ms = 0; ms < 2000; ms += 100) {
    await clock.advance(60);
    hear();
    await clock.advance(40);
  }
  const before = looks();
  since();
  for (let ms = 0; ms < 1000; ms += 100) {
    await clock.advance(60);
    hear();
    for (const startId of [1, 2]) peer.epochs.hear({ epoch: 1, startId }, clock.nowMs());
    await clock.advance(40);
  }
  t.true(looks() - before >= 10);
  t.deepEqual(
    since().filter((one) => !one.endsWith('beat')),
    ['2110 changed'],
    'unclear which of them the peer is',
  );
});

test('a heartbeat that was late is followed by one at the moment at which it would have been', async (t) => {
  const { clock, since } = scene();
  clock.freeze(130);
  await clock.advance(0);
  await clock.advance(170);
  t.deepEqual(
    since().filter((one) => one.endsWith('beat')),
    ['0 beat', '130 beat', '200 beat', '300 beat'],
  );
});

for (const phase of [5, 20, 45, 70, 95])
  test(`the silence of a peer is noticed within a quarter of a heartbeat, heard ${phase} ms after ours`, async (t) => {
    const { clock, hear, since } = scene();
    for (let ms = 0; ms < 1000; ms += 100) {
      await clock.advance(phase);
      hear();
      await clock.advance(100 - phase);
    }
    const heardMs = 900 + phase;
    since();
    await clock.advance(1100);
    const seen = since().filter((one) => !one.endsWith('beat'));
    const times = seen
      .filter((one) => one.endsWith('changed'))
      .map((one) => parseInt(one) - heardMs);
    t.deepEqual(
      seen.map((one) => one.replace(/^\d+ /, '')),
      ['changed', 'b is suspect', 'changed', 'changed'],
    );
    const [quiet = 0, suspect = 0, stale = 0] = times;
    t.true(quiet > 130 && quiet <= 155, `quiet after ${quiet} ms`);
    t.true(suspect >= 250 && suspect <= 275, `suspect after ${suspect} ms`);
    t.true(stale >= 1000 && stale <= 1025, `no longer fresh after ${stale} ms`);
  });

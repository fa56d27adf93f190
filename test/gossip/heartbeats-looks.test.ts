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
  return { clock, hear, beats, since, looks: () => looks };
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

test('while a peer is heard in time nobody wakes four times a heartbeat for it', async (t) => {
  const { clock, hear, looks } = scene();
  for (let ms = 0; ms < 2000; ms += 100) {
    await clock.advance(60);
    hear();
    await clock.advance(40);
  }
  t.true(looks() <= 45, `${looks()} looks in 2 s`);
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

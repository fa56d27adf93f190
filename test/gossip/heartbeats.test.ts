import test from 'ava';
import { heartbeats } from '../../agent/gossip/heartbeats.ts';
import { epochs } from '../../agent/gossip/epochs.ts';
import { isAsNew, isNewer } from '../../agent/gossip/peer.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import type { NodeView } from '../../agent/core/model.ts';
import { heard } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const B = 'haproxy02';

function beating() {
  const clock = new FakeClock({ nowMs: 10_000 });
  const beats: number[] = [];
  const logged: unknown[] = [];
  const peer: NodeView = heard(report(B), { heardAtMs: 10_000 });
  const state = { changes: 0, peer };
  const running = heartbeats({
    gossip: {
      beat: () => void beats.push(clock.nowMs() - 10_000),
      peers: () => [state.peer],
      // Not known to have heard us: looked at as often as there are looks.
      contact: () => null,
    },
    clock,
    timing: TIMINGS.fast,
    log: { info: (...line: readonly unknown[]) => void logged.push(line) },
    because: (node) => `of ${node}`,
    onChange: () => state.changes++,
  });
  return { clock, beats, logged, state, running };
}

test('a heartbeat goes at once and each interval, until it is stopped', async (t) => {
  const { clock, beats, running } = beating();
  await clock.advance(250);
  t.deepEqual(beats, [0, 100, 200]);
  t.deepEqual(clock.sleeping(), [25]);
  running.stop();
  t.deepEqual(clock.sleeping(), []);
});

test('a peer is looked at four times an interval: a new class is logged, any change told once', async (t) => {
  const { clock, logged, state } = beating();
  const line = (from: string | null, to: string) => [
    'peer-changed',
    { peer: B, from, to, cause: 'of haproxy02' },
    `haproxy02 is ${to}`,
  ];
  t.deepEqual([state.changes, logged], [1, [line(null, 'alive')]]);
  await clock.advance(125);
  t.is(state.changes, 1);
  await clock.advance(25);
  t.is(state.changes, 2, 'a heartbeat is overdue');
  state.peer = { ...state.peer, peerClass: 'suspect' };
  await clock.advance(25);
  state.peer = { ...state.peer, fresh: false };
  await clock.advance(25);
  t.is(state.changes, 4);
  t.deepEqual(logged, [line(null, 'alive'), line('alive', 'suspect')]);
});

test('starts side by side: for two seconds unclear or two agents, forgotten after five', (t) => {
  const one = { epoch: 1, startId: 0 };
  const two = { epoch: 2, startId: 0 };
  const heardIn = epochs();
  const at = (start: typeof one, ...times: readonly number[]) =>
    times.forEach((ms) => heardIn.hear(start, ms));
  at(one, 0);
  t.deepEqual([heardIn.isUnclear(0), heardIn.doubleSinceMs(0)], [false, null]);
  at(two, 100);
  t.false(heardIn.isUnclear(100), 'a restart');
  at(one, 200);
  t.deepEqual([heardIn.isUnclear(2099), heardIn.isUnclear(2100)], [true, false]);
  at(two, 2099);
  at(one, 2099);
  t.is(heardIn.doubleSinceMs(2099), null);
  at(two, 2100);
  at(one, 2100);
  t.is(heardIn.doubleSinceMs(2100), 100);
  t.deepEqual([heardIn.doubleSinceMs(7099), heardIn.doubleSinceMs(7100)], [100, null]);
});

test('of three starts side by side the earliest counts, and one that is silent for five seconds is forgotten', (t) => {
  const heardIn = epochs();
  for (let ms = 0; ms <= 4000; ms += 500)
    for (const epoch of ms < 1000 ? [1, 2] : [1, 2, 3]) heardIn.hear({ epoch, startId: 0 }, ms);
  t.is(heardIn.doubleSinceMs(4000), 0);
  heardIn.hear({ epoch: 3, startId: 0 }, 8999);
  heardIn.hear({ epoch: 1, startId: 0 }, 8999);
  t.is(heardIn.doubleSinceMs(8999), 0, 'the first went on all the time');
  heardIn.hear({ epoch: 3, startId: 0 }, 14_000);
  heardIn.hear({ epoch: 1, startId: 0 }, 14_001);
  t.deepEqual(
    [heardIn.doubleSinceMs(14_001), heardIn.isUnclear(14_001)],
    [null, false],
    'heard anew, from its first moment on',
  );
});

test('a start replaces the known one once nothing of that came for two seconds, by anybody', (t) => {
  const known = { epoch: 5, startId: 7 };
  const heardIn = epochs();
  heardIn.hear(known, 1000);
  heardIn.hear({ epoch: 4, startId: 1 }, 2900);
  const replaces = (nowMs: number, relayedAtMs: number | null = null) =>
    heardIn.replaces(known, relayedAtMs, nowMs);
  t.deepEqual([replaces(2999), replaces(3000)], [false, true]);
  t.deepEqual([replaces(3000, 1001), replaces(3001, 1001), replaces(3000, 0)], [false, true, true]);
});

test('newer is a higher epoch, or more of the same start; another start of one epoch is neither', (t) => {
  const v = (epoch: number, startId: number, sequence: number) => ({ epoch, startId, sequence });
  t.deepEqual(
    [
      isNewer(v(2, 0, 1), v(1, 0, 9)),
      isNewer(v(1, 0, 9), v(2, 0, 1)),
      isNewer(v(1, 3, 2), v(1, 3, 1)),
      isNewer(v(1, 3, 1), v(1, 3, 1)),
      isNewer(v(1, 3, 2), v(1, 4, 1)),
    ],
    [true, false, true, false, false],
  );
  t.deepEqual(
    [
      isAsNew(v(1, 3, 1), v(1, 3, 1)),
      isAsNew(v(1, 3, 1), v(1, 3, 2)),
      isAsNew(v(1, 4, 2), v(1, 3, 1)),
      isAsNew(v(2, 3, 1), v(1, 3, 1)),
    ],
    [true, false, false, false],
  );
});

test('a start keeps its first moment over a pause in which nobody else spoke for long', (t) => {
  const one = { epoch: 1, startId: 0 };
  const two = { epoch: 2, startId: 0 };
  const paused = epochs();
  for (const [start, ms] of [
    [one, 0],
    [two, 0],
    [one, 500],
    [two, 4900],
    [one, 5600],
  ] as const)
    paused.hear(start, ms);
  t.is(paused.doubleSinceMs(5600), 0);
  const again = epochs();
  for (const [start, ms] of [
    [one, 0],
    [two, 5000],
    [one, 5001],
    [two, 7001],
    [one, 7001],
  ] as const)
    again.hear(start, ms);
  t.is(again.doubleSinceMs(7001), 5001, 'forgotten after five seconds');
});

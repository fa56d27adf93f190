import test from 'ava';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { gossip } from '../../agent/gossip/gossip.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const A = 'haproxy01';
const B = 'haproxy02';

/** haproxy01 as it hears haproxy02, whose messages are written here. */
function listener() {
  const clock = new FakeClock({ nowMs: 10_000 });
  const sent: GossipMessage[] = [];
  const state = { stands: true };
  const one = gossip({
    node: A,
    pair: 'web',
    agentVersion: '0.1.0',
    epoch: 1,
    startId: 0,
    peers: [B],
    timing: TIMINGS.fast,
    clock,
    transport: {
      send(_, message) {
        if (state.stands) sent.push(message);
        return state.stands;
      },
    },
    intents: new Map(),
    onIntents: () => undefined,
    onChange: () => undefined,
    onRefused: () => undefined,
  });
  const says = (epoch: number, sequence = 1, startId = 0) =>
    one.receive(B, { kind: 'report', report: report(B, { epoch, startId, sequence }), ageMs: 0 });
  /** A heartbeat that heard haproxy01 so long ago; null: an agent that does not say. */
  const beats = (epoch: number, ageMs: number | null, sequence = 1, ours = 7) =>
    one.receive(B, {
      kind: 'heartbeat',
      epoch,
      startId: 0,
      sequence,
      intentsDigest: '',
      seen: [{ node: A, epoch: 1, startId: 0, sequence: ours, ageMs }],
      heard: [],
    });
  const seenOfUs = () =>
    one.peers(clock.nowMs())[0]?.report?.seen.find(({ node }) => node === A)?.sequence ?? null;
  const peer = () => {
    const [view] = one.peers(clock.nowMs());
    if (view === undefined) throw new Error('no peer');
    const { fresh, report: known, oneWay, doubleSinceMs } = view;
    const since = oneWay === null ? null : `${oneWay.deaf} since ${oneWay.sinceMs}`;
    return { fresh, epoch: known?.epoch, health: known?.health, oneWay: since, doubleSinceMs };
  };
  return { clock, one, state, sent, says, beats, peer, seenOfUs };
}

const well = { fresh: true, health: 'serving', oneWay: null, doubleSinceMs: null };

test('a lower epoch counts once the higher one is silent for 2 s: a new disk, or a clock behind', async (t) => {
  const { clock, says, beats, peer, sent } = listener();
  says(100);
  await clock.advance(500);
  says(7, 1);
  t.like(peer(), { ...well, epoch: 100 });
  await clock.advance(1400);
  says(7, 2);
  t.like(peer(), { epoch: 100, fresh: false });
  await clock.advance(100);
  beats(7, 0, 2);
  t.deepEqual(sent.at(-2), { kind: 'want-report', node: B }, 'it is asked for its report');
  says(7, 2);
  t.deepEqual(peer(), { ...well, epoch: 7 });
  // A still lower one begins to wait anew.
  says(3);
  t.is(peer().epoch, 7);
});

test('a restart with a higher epoch counts at once and is no second agent', async (t) => {
  const { clock, says, peer } = listener();
  says(100);
  await clock.advance(300);
  says(101);
  t.deepEqual(peer(), { ...well, epoch: 101 });
  await clock.advance(2000);
  says(101, 2);
  t.is(peer().doubleSinceMs, null);
});

test('two that go on are two agents: unknown and not counted, until one of them has been silent for 5 s', async (t) => {
  const { clock, says, peer } = listener();
  for (let turn = 0; turn < 4; turn++) {
    says(100, turn);
    await clock.advance(500);
    says(7, turn);
    await clock.advance(500);
  }
  t.deepEqual(peer(), {
    fresh: false,
    epoch: 100,
    health: 'unknown',
    oneWay: null,
    doubleSinceMs: 10_500,
  });
  // The real one has the lower epoch and recovers by itself.
  for (let turn = 0; turn < 12; turn++) {
    says(7, 10 + turn);
    await clock.advance(500);
  }
  t.deepEqual(peer(), { ...well, epoch: 7 });
});

test('one that speaks again after another start of it had begun is not counted for 2 s', async (t) => {
  const { clock, says, peer } = listener();
  says(100);
  await clock.advance(300);
  says(101);
  t.deepEqual(peer(), { ...well, epoch: 101 }, 'a restart');
  await clock.advance(100);
  says(100, 2);
  t.deepEqual(peer(), { ...well, epoch: 101, fresh: false });
  await clock.advance(1900);
  says(101, 2);
  t.false(peer().fresh);
  await clock.advance(100);
  t.deepEqual(peer(), { ...well, epoch: 101 }, 'what the old one said was on its way');
});

test('two that count the same epoch are told apart by what each drew at its start', async (t) => {
  const { clock, says, peer } = listener();
  for (let turn = 0; turn < 4; turn++) {
    says(100, 50 + turn, 1);
    await clock.advance(500);
    says(100, turn, 2);
    await clock.advance(500);
  }
  t.like(peer(), { fresh: false, health: 'unknown', doubleSinceMs: 10_500 });
  for (let turn = 0; turn < 12; turn++) {
    says(100, 10 + turn, 2);
    await clock.advance(500);
  }
  t.deepEqual(peer(), { ...well, epoch: 100 }, 'the one that goes on, though it counts lower');
});

test('an older agent draws nothing: its starts are told apart by epoch alone', async (t) => {
  const { clock, says, peer } = listener();
  says(100, 5, 0);
  await clock.advance(500);
  says(100, 6, 0);
  await clock.advance(500);
  t.deepEqual(peer(), { ...well, epoch: 100 });
});

test('what one start of the peer has seen of us is not taken for what another has', (t) => {
  const { says, beats, seenOfUs } = listener();
  says(100);
  beats(7, 0, 1, 8);
  t.is(seenOfUs(), 7);
  beats(100, 0, 1, 8);
  t.is(seenOfUs(), 8);
});

test('what the peer has heard of us is measured by its heartbeats', async (t) => {
  const { clock, says, beats, peer } = listener();
  says(1);
  beats(1, 999);
  t.is(peer().oneWay, null);
  beats(1, 1000);
  t.is(peer().oneWay, 'it since 10000');
  await clock.advance(500);
  beats(1, 1500);
  t.is(peer().oneWay, 'it since 10000');
  beats(1, 20);
  t.is(peer().oneWay, null);
  beats(1, null);
  t.is(peer().oneWay, null, 'an agent that does not measure is not accused');
});

test('a connection that stands for 6 s and brings nothing: we are the ones who do not hear', async (t) => {
  const { clock, one, state, says, peer } = listener();
  says(1);
  for (let beat = 0; beat < 59; beat++) {
    one.beat();
    await clock.advance(100);
  }
  t.is(peer().oneWay, null);
  await clock.advance(100);
  t.is(peer().oneWay, 'we since 10000');
  state.stands = false;
  one.beat();
  t.is(peer().oneWay, null, 'neither hears the other: that is told as such');
});

test('a peer that was never heard stands in heartbeats with how long we have waited', async (t) => {
  const { clock, one, sent } = listener();
  await clock.advance(3000);
  one.beat();
  const [beat] = sent;
  t.deepEqual(beat?.kind === 'heartbeat' ? beat.seen : null, [
    { node: B, epoch: 0, startId: 0, sequence: 0, ageMs: 3000 },
  ]);
});

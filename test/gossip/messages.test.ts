import test from 'ava';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Intent, NodeReport } from '../../agent/core/model.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { gossip } from '../../agent/gossip/gossip.ts';
import { intent, wishes } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { report } from '../reports.ts';

const A = 'haproxy01';
const B = 'haproxy02';
const C = 'haproxy03';
const START = 10_000;

/** haproxy01, what it sends, and how often it says that something has changed. */
function hearing(peers: readonly string[] = [B], stored: readonly Intent[] = []) {
  const clock = new FakeClock({ nowMs: START });
  const sent: string[] = [];
  const messages: GossipMessage[] = [];
  const taken: string[] = [];
  const refused: string[] = [];
  const state = { changes: 0, stands: true };
  const one = gossip({
    node: A,
    pair: 'web',
    agentVersion: '0.1.0',
    epoch: 1,
    startId: 4,
    peers,
    timing: TIMINGS.fast,
    clock,
    transport: {
      send(node, message) {
        if (!state.stands) return false;
        sent.push(`${node}: ${message.kind}`);
        messages.push(message);
        return true;
      },
    },
    intents: wishes(...stored),
    onIntents: (all, some, { from, how }) =>
      taken.push(`${some.map(({ key }) => key).join()} of ${all.size} from ${from}, ${how}`),
    onChange: () => state.changes++,
    onRefused: (node, cause) => refused.push(`${node}: ${cause}`),
  });
  /** What is sent and how many changes are told while this is done. */
  const meanwhile = (act: () => unknown): readonly [string, number] => {
    const [at, before] = [sent.length, state.changes];
    act();
    return [sent.slice(at).join(', '), state.changes - before];
  };
  const says = (change: Partial<NodeReport> = {}, node = B, from = node, ageMs = 0) =>
    one.receive(from, { kind: 'report', report: report(node, change), ageMs });
  type Beat = GossipMessage & { readonly kind: 'heartbeat' };
  const beats = (change: Partial<Beat> = {}, from = B) =>
    one.receive(from, {
      kind: 'heartbeat',
      epoch: 1,
      startId: 0,
      sequence: 7,
      intentsDigest: digest(),
      seen: report(B).seen,
      heard: [],
      ...change,
    });
  const digest = (): string => {
    const at = messages.length;
    one.beat();
    const beat = messages.splice(at)[0];
    sent.splice(at);
    return beat?.kind === 'heartbeat' ? beat.intentsDigest : '';
  };
  const peer = (node = B) => {
    const view = one.peers(clock.nowMs()).find((other) => other.node === node);
    if (view === undefined) throw new Error('no such peer');
    return view;
  };
  return { clock, one, state, sent, messages, taken, refused, meanwhile, says, beats, peer };
}

test('a hello is answered with the own report and all that was decided', (t) => {
  const { one, meanwhile } = hearing([B], [intent('pause', 'on')]);
  const hello = { ...one.hello(), node: B };
  t.deepEqual(one.hello(), {
    kind: 'hello',
    node: A,
    pair: 'web',
    protocol: 1,
    agentVersion: '0.1.0',
    epoch: 1,
    startId: 4,
  });
  t.deepEqual(
    meanwhile(() => one.receive(B, hello)),
    [`${B}: intents`, 1],
    'no report yet',
  );
  one.publish(report(A));
  t.deepEqual(
    meanwhile(() => one.receive(B, hello)),
    [`${B}: report`, 1],
    'what was decided went a moment ago',
  );
});

test('the own report travels with the clock as of sending', async (t) => {
  const { one, clock, messages } = hearing();
  one.publish(report(A, { wallMs: 5 }));
  await clock.advance(700);
  one.receive(B, { kind: 'want-report', node: A });
  t.deepEqual(
    messages.map((message) =>
      message.kind === 'report' ? [message.report.wallMs - clock.wallMs(), message.ageMs] : [],
    ),
    [
      [-700, 0],
      [0, 0],
    ],
  );
});

test('a connection that stands is told everything at once, whatever was sent before', (t) => {
  const { one, meanwhile } = hearing([B], [intent('pause', 'on')]);
  one.publish(report(A));
  const all = [`${B}: report, ${B}: intents`, 0];
  t.deepEqual(
    meanwhile(() => one.connected(B)),
    all,
  );
  t.deepEqual(
    meanwhile(() => one.connected(B)),
    all,
  );
  t.deepEqual(
    meanwhile(() => one.connected('nobody')),
    ['', 0],
  );
  t.deepEqual(
    meanwhile(() => one.pushIntents()),
    [`${B}: intents`, 0],
  );
});

test('what was decided goes to a peer five times a second at most', async (t) => {
  const { one, clock, meanwhile } = hearing([B], [intent('pause', 'on')]);
  const asks = () => meanwhile(() => one.receive(B, { kind: 'want-intents' }))[0];
  t.is(asks(), `${B}: intents`);
  await clock.advance(199);
  t.is(asks(), '');
  await clock.advance(1);
  t.is(asks(), `${B}: intents`);
});

test('what a peer decided is taken, told once with its source, and not sent back', (t) => {
  const { one, taken, meanwhile } = hearing();
  const offer = () => one.receive(B, { kind: 'intents', intents: [intent('pause', 'on')] });
  t.deepEqual(meanwhile(offer), ['', 2], 'the peer is heard, and something was decided');
  t.deepEqual(meanwhile(offer)[1], 1);
  t.deepEqual(taken, [`pause of 1 from ${B}, gossip`]);
  one.store(A, [intent('pin/1@wan', A)]);
  t.deepEqual(taken.slice(1), [`pin/1@wan of 2 from ${A}, stored`]);
  t.deepEqual([...one.intents().keys()], ['pause', 'pin/1@wan']);
});

test('of many that are refused the first is said, and how many more', (t) => {
  const { one, clock, refused } = hearing();
  const ahead = (key: string) =>
    intent(key, 'on', { stamp: { wallMs: clock.wallMs() + 2 * 86_400_000, count: 0, node: B } });
  const said = `${B}: pause is stamped more than a day ahead of this host's clock`;
  one.receive(B, { kind: 'intents', intents: [ahead('pause'), ahead('pin/1@wan'), ahead('x')] });
  t.deepEqual(refused, [`${said} (and 2 more)`]);
  const other = hearing();
  other.one.receive(B, { kind: 'intents', intents: [ahead('pause'), ahead('x')] });
  t.deepEqual(other.refused, [`${said} (and 1 more)`]);
});

test('a report is taken with the clock of its writer against ours, and told', async (t) => {
  const { clock, one, says, peer, meanwhile } = hearing();
  t.like(peer(), { peerClass: 'never-seen', fresh: false, report: null, clockOffMs: null });
  t.deepEqual(one.seen(), []);
  t.deepEqual(
    meanwhile(() => says({ wallMs: clock.wallMs() + 1500 })),
    ['', 2],
  );
  t.like(peer(), { peerClass: 'alive', fresh: true, heardAtMs: START, clockOffMs: 1500 });
  t.deepEqual(
    meanwhile(() => says({ sequence: 8, wallMs: clock.wallMs() })),
    ['', 1],
  );
  t.is(peer().clockOffMs, 0);
  await clock.advance(300);
  t.deepEqual(one.seen(), [{ node: B, epoch: 1, startId: 0, sequence: 8, ageMs: 300 }]);
  await clock.advance(700);
  t.is(peer().fresh, false);
  t.deepEqual(
    meanwhile(() => says({ sequence: 8 })),
    ['', 1],
    'heard again, and nothing new',
  );
});

test('a peer says goodbye: it is gone with its reason until it is heard again', (t) => {
  const { one, says, peer, meanwhile } = hearing();
  says();
  t.deepEqual(
    meanwhile(() => one.receive(B, { kind: 'goodbye', reason: 'shutdown' })),
    ['', 1],
  );
  t.like(peer(), { peerClass: 'agent-down', fresh: false });
  t.is(one.contact(B)?.goneBecause, 'its agent stopped: shutdown');
  says({ sequence: 8 });
  t.like(peer(), { peerClass: 'alive', fresh: true });
  t.deepEqual(
    meanwhile(() => one.gone(B, 'connection closed')),
    ['', 1],
  );
  t.is(one.contact(B)?.goneBecause, 'connection closed');
  t.deepEqual(
    meanwhile(() => one.gone('nobody', '')),
    ['', 0],
  );
  t.is(one.contact('nobody'), null);
});

test('a heartbeat of a report that is not here asks for it, of the one that is here keeps it fresh', async (t) => {
  const { clock, says, beats, peer, meanwhile } = hearing();
  t.deepEqual(meanwhile(beats), [`${B}: want-report`, 1]);
  says();
  t.deepEqual(meanwhile(beats), ['', 0]);
  t.deepEqual(
    meanwhile(() => beats({ sequence: 8 })),
    [`${B}: want-report`, 0],
  );
  await clock.advance(900);
  beats();
  await clock.advance(900);
  t.true(peer().fresh, 'by a heartbeat of its number');
  beats({ sequence: 6 });
  await clock.advance(100);
  t.false(peer().fresh, 'one with an older number says nothing of it');
});

test('a heartbeat with another digest is answered with what was decided', (t) => {
  const { one, says, beats, meanwhile } = hearing([B], [intent('pause', 'on')]);
  t.deepEqual(
    meanwhile(() => beats({ intentsDigest: 'x' })),
    [`${B}: want-report, ${B}: intents`, 1],
  );
  says();
  const differs = () => one.contact(B)?.differsSinceMs ?? null;
  t.is(differs(), START);
  beats();
  t.is(differs(), null);
});

test('with another digest for long: since when is kept', async (t) => {
  const { one, clock, says, beats, meanwhile } = hearing([B], [intent('pause', 'on')]);
  says();
  beats({ intentsDigest: 'x' });
  await clock.advance(500);
  t.deepEqual(
    meanwhile(() => beats({ intentsDigest: 'x' })),
    [`${B}: intents`, 0],
  );
  t.is(one.contact(B)?.differsSinceMs, START);
});

test('a heartbeat that has seen more of us is told as a change, one that has seen the same is none', (t) => {
  const { says, beats, peer, meanwhile } = hearing();
  const seen = (sequence: number, startId = 4, node = A) => ({
    node,
    epoch: 1,
    startId,
    sequence,
    ageMs: 0,
  });
  says({ seen: [seen(5), seen(1, 0, C)] });
  const changes = (...list: readonly ReturnType<typeof seen>[]) =>
    meanwhile(() => beats({ seen: list }))[1];
  t.is(changes(seen(5), seen(1, 0, C)), 0);
  t.is(changes(seen(4), seen(1, 0, C)), 0, 'less is old news');
  t.is(changes(seen(6), seen(1, 0, C)), 1);
  t.is(peer().report?.seen[0]?.sequence, 6);
  t.is(changes(seen(1, 9), seen(1, 0, C)), 1, 'another start of us');
  t.is(changes(seen(1, 9), seen(1, 0, C), seen(1, 0, B)), 1, 'one more node');
});

test('a peer that does not hear us, or does again, is a change each', (t) => {
  const { says, beats, peer, meanwhile } = hearing();
  const us = (ageMs: number | null) => [{ node: A, epoch: 1, startId: 4, sequence: 7, ageMs }];
  says({ seen: us(0) });
  const changes = (ageMs: number | null) => meanwhile(() => beats({ seen: us(ageMs) }))[1];
  t.deepEqual(
    [changes(999), changes(1000), changes(1100), changes(0), changes(0)],
    [0, 1, 0, 1, 0],
  );
  t.is(peer().oneWay, null);
});

test('our own heartbeat carries the last report, whom we hear and since when', async (t) => {
  const { one, clock, messages, says, state } = hearing([C, B]);
  one.beat();
  says();
  one.publish(report(A, { sequence: 9 }));
  await clock.advance(40);
  one.beat();
  const beat = messages.at(-1);
  t.deepEqual(
    messages.slice(0, 1).map((one) => (one.kind === 'heartbeat' ? one.sequence : null)),
    [0],
  );
  t.deepEqual(beat?.kind === 'heartbeat' ? { ...beat, intentsDigest: '' } : null, {
    kind: 'heartbeat',
    epoch: 1,
    startId: 4,
    sequence: 9,
    intentsDigest: '',
    seen: [
      { node: C, epoch: 0, startId: 0, sequence: 0, ageMs: 40 },
      { node: B, epoch: 1, startId: 0, sequence: 7, ageMs: 40 },
    ],
    heard: [{ node: B, ageMs: 40 }],
  });
  t.deepEqual(
    one.peers(clock.nowMs()).map(({ node }) => node),
    [B, C],
  );
  state.stands = false;
  one.beat();
});

test('one that is not configured is refused and not answered', (t) => {
  const { one, refused, meanwhile } = hearing();
  t.deepEqual(
    meanwhile(() => one.receive(C, { kind: 'want-report', node: A })),
    ['', 0],
  );
  t.deepEqual(refused, [`${C}: it is not a configured peer`]);
});

test('what another hears is asked of it, once it is silent here, and passed on with its age', async (t) => {
  const { one, clock, says, beats, peer, meanwhile, messages, refused } = hearing([B, C]);
  const heardC = (sequence: number, ageMs: number) => ({
    seen: [...report(B).seen.slice(0, 2), { node: C, epoch: 1, startId: 0, sequence, ageMs }],
    heard: [{ node: C, ageMs }],
  });
  says();
  t.is(meanwhile(() => beats(heardC(7, 50)))[0], `${B}: want-report`);
  t.deepEqual(
    meanwhile(() => says({}, C, B, 50)),
    ['', 1],
  );
  t.like(peer(C), { peerClass: 'alive', fresh: true, heardAtMs: START - 50 });
  says({ sequence: 8 }, C, B);
  t.deepEqual(refused, [`${B}: it sent a report that claims to be from ${C}`], 'asked for once');
  await clock.advance(500);
  t.is(meanwhile(() => beats(heardC(7, 20)))[0], '');
  t.is(peer(C).heardAtMs, START + 480);
  beats(heardC(7, 300));
  t.is(peer(C).heardAtMs, START + 480, 'an older word takes nothing back');
  t.is(meanwhile(() => beats(heardC(8, 20)))[0], `${B}: want-report`);
  // Heard here: nobody is asked for it, and it is passed on to who asks.
  says({ sequence: 8 }, C);
  t.is(meanwhile(() => beats(heardC(9, 20)))[0], '');
  await clock.advance(60);
  t.is(meanwhile(() => one.receive(B, { kind: 'want-report', node: C }))[0], `${B}: report`);
  const told = messages.at(-1);
  t.deepEqual(told?.kind === 'report' ? [told.report.node, told.ageMs] : null, [C, 60]);
  t.is(meanwhile(() => one.receive(C, { kind: 'want-report', node: 'nobody' }))[0], '');
});

test('what was never heard here, or only by another’s word, is passed on to nobody', async (t) => {
  const { one, clock, says, beats, meanwhile } = hearing([B, C]);
  const asks = () => meanwhile(() => one.receive(B, { kind: 'want-report', node: C }))[0];
  t.is(asks(), '');
  says();
  const seen = [{ node: C, epoch: 1, startId: 0, sequence: 7, ageMs: 0 }];
  beats({ seen, heard: [{ node: C, ageMs: 0 }] });
  says({}, C, B);
  t.is(asks(), '');
  await clock.advance(10);
  t.is(meanwhile(() => beats({ seen: [], heard: [{ node: C, ageMs: 0 }] }))[0], '', 'no number');
  t.is(meanwhile(() => beats({ seen, heard: [{ node: B, ageMs: 0 }] }))[0], '', 'of itself');
});

test('a word of another start makes it unclear which one it is, by whatever message it came', async (t) => {
  const by = async (again: (world: ReturnType<typeof hearing>) => void) => {
    const world = hearing();
    world.says({ epoch: 1 });
    await world.clock.advance(100);
    world.says({ epoch: 2 });
    t.true(world.peer().fresh, 'a restart');
    await world.clock.advance(100);
    again(world);
    return world.peer().fresh;
  };
  t.false(await by(({ one }) => one.receive(B, { ...one.hello(), node: B, startId: 0 })));
  t.false(await by(({ beats }) => beats()));
  t.false(await by(({ says }) => says()));
  t.true(await by(({ beats }) => beats({ epoch: 2 })));
});

test('who asks for something is heard, and nothing else follows from it', (t) => {
  const { one, says, peer, sent } = hearing([B, C]);
  says();
  one.receive(B, { kind: 'want-report', node: C });
  one.receive(B, { kind: 'want-intents' });
  t.deepEqual([peer().peerClass, sent], ['alive', [`${B}: intents`]]);
});

test('what was stored is there from the start, and a newer word of the same key is taken', (t) => {
  const { one, taken } = hearing([B], [intent('pause', 'on')]);
  t.deepEqual([...one.intents().keys()], ['pause']);
  const stamp = { wallMs: 2_000_000, count: 0, node: B };
  one.receive(B, { kind: 'intents', intents: [intent('pause', 'off', { stamp })] });
  t.is(one.intents().get('pause')?.value, 'off');
  t.deepEqual(taken, [`pause of 1 from ${B}, gossip`]);
});

test('what is refused is said once a minute, also long after the start', async (t) => {
  const { one, clock, refused } = hearing();
  await clock.advance(100_000);
  const stamp = { wallMs: clock.wallMs() + 2 * 86_400_000, count: 0, node: B };
  const offer = () => one.receive(B, { kind: 'intents', intents: [intent('x', '', { stamp })] });
  offer();
  await clock.advance(59_999);
  offer();
  t.is(refused.length, 1);
  await clock.advance(1);
  offer();
  t.is(refused.length, 2);
});

test('ages count from when it was heard, and silence over a connection from the last word', async (t) => {
  const { one, clock, says, peer } = hearing();
  one.beat();
  await clock.advance(2000);
  says();
  await clock.advance(300);
  t.is(one.seen()[0]?.ageMs, 300);
  await clock.advance(5699);
  t.is(peer().oneWay, null);
  await clock.advance(1);
  t.deepEqual(peer().oneWay, { deaf: 'we', sinceMs: START + 2000 });
});

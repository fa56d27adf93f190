import test from 'ava';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { gossip, type Gossip } from '../../agent/gossip/gossip.ts';
import { intent } from '../core/builders.ts';
import { report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';

const NAMES = ['haproxy01', 'haproxy02', 'haproxy03'] as const;
const [A, B, C] = NAMES;

/** Three nodes that tell each other everything at once, but where `cut` says no. */
function three() {
  const clock = new FakeClock({ nowMs: 10_000 });
  const cut = new Set<string>();
  const nodes = new Map<string, Gossip>();
  const refused: string[] = [];
  const sent: string[] = [];
  for (const node of NAMES) {
    const send = (to: string, message: GossipMessage): boolean => {
      if (cut.has(`${node} ${to}`)) return false;
      sent.push(`${node} to ${to}: ${message.kind}`);
      nodes.get(to)?.receive(node, message);
      return true;
    };
    nodes.set(
      node,
      gossip({
        node,
        pair: 'web',
        agentVersion: '0.1.0',
        epoch: 1,
        startId: 0,
        peers: NAMES.filter((one) => one !== node),
        timing: TIMINGS.fast,
        clock,
        transport: { send },
        intents: new Map(),
        onIntents: () => undefined,
        onChange: () => undefined,
        onRefused: (from, cause) => refused.push(`${node}: ${from}: ${cause}`),
      }),
    );
  }
  const of = (node: string): Gossip => {
    const found = nodes.get(node);
    if (found === undefined) throw new TypeError(node);
    return found;
  };
  const beat = async (times: number, names: readonly string[] = NAMES): Promise<void> => {
    for (let at = 0; at < times; at++) {
      for (const node of names) of(node).beat();
      await clock.advance(100);
    }
  };
  const seenBy = (node: string, other: string) => {
    const view = of(node)
      .peers(clock.nowMs())
      .find((one) => one.node === other);
    return { peerClass: view?.peerClass, fresh: view?.fresh, sequence: view?.report?.sequence };
  };
  for (const node of NAMES) of(node).publish(report(node, { sequence: 1 }));
  return { clock, cut, refused, sent, of, beat, seenBy };
}

test('two nodes that do not hear each other know each other’s present report by a third', async (t) => {
  const { cut, of, beat, seenBy } = three();
  await beat(2);
  cut.add(`${A} ${B}`).add(`${B} ${A}`);
  await beat(20);
  t.deepEqual(seenBy(A, B), { peerClass: 'alive', fresh: true, sequence: 1 });
  of(B).publish(report(B, { sequence: 2 }));
  // Silent for too long here, named by the third, asked for, and there.
  await beat(2);
  t.deepEqual(seenBy(A, B), { peerClass: 'alive', fresh: true, sequence: 2 });
});

test('a word passed on goes one hop and never in circles: who died is known to be silent within a second', async (t) => {
  const { cut, clock, beat, seenBy } = three();
  await beat(2);
  for (const other of [A, C]) cut.add(`${B} ${other}`).add(`${other} ${B}`);
  await beat(11, [A, C]);
  for (const node of [A, C])
    t.deepEqual(seenBy(node, B), { peerClass: 'suspect', fresh: false, sequence: 1 });
  t.is(clock.nowMs(), 11_300);
});

test('the end of a connection counts against a word that was on its way before it', async (t) => {
  const { cut, of, beat, seenBy } = three();
  await beat(2);
  cut.add(`${A} ${B}`).add(`${B} ${A}`);
  of(A).gone(B, 'its connection was cut');
  await beat(1);
  t.deepEqual(seenBy(A, B), { peerClass: 'agent-down', fresh: false, sequence: 1 });
  await beat(12);
  t.deepEqual(seenBy(A, B), { peerClass: 'alive', fresh: true, sequence: 1 }, 'C still hears it');
});

test('a report of another node that nobody asked for is refused', (t) => {
  const { of, refused, seenBy } = three();
  const forged = report(C, { sequence: 9 });
  of(A).receive(B, { kind: 'report', report: forged, ageMs: 5 });
  t.deepEqual(refused, [`${A}: ${B}: it sent a report that claims to be from ${C}`]);
  t.is(seenBy(A, C).sequence, 1);
});

test('a sequence that goes backwards changes nothing', (t) => {
  const { of, seenBy } = three();
  of(A).receive(B, { kind: 'report', report: report(B, { sequence: 5 }), ageMs: 0 });
  of(A).receive(B, { kind: 'report', report: report(B, { sequence: 4 }), ageMs: 0 });
  t.is(seenBy(A, B).sequence, 5);
});

test('a pair says nothing of others in its heartbeats', async (t) => {
  const clock = new FakeClock();
  const told: GossipMessage[] = [];
  const alone = gossip({
    node: A,
    pair: 'web',
    agentVersion: '0.1.0',
    epoch: 1,
    startId: 0,
    peers: [B],
    timing: TIMINGS.fast,
    clock,
    transport: { send: (_, message) => told.push(message) > 0 },
    intents: new Map(),
    onIntents: () => undefined,
    onChange: () => undefined,
    onRefused: () => undefined,
  });
  alone.receive(B, { kind: 'report', report: report(B), ageMs: 0 });
  alone.beat();
  t.deepEqual(
    told.map((message) => (message.kind === 'heartbeat' ? message.heard : message.kind)),
    [[]],
  );
});

test('what is refused of a peer is said once a minute, however often it is offered', async (t) => {
  const { clock, of, refused } = three();
  const wallMs = clock.wallMs() + 2 * 86_400_000;
  const ahead = intent('pause', 'on', { stamp: { wallMs, count: 0, node: B } });
  const offer = () => of(A).receive(B, { kind: 'intents', intents: [ahead] });
  offer();
  offer();
  const said = `${A}: ${B}: pause is stamped more than a day ahead of this host's clock`;
  t.deepEqual([refused, of(A).intents().size], [[said], 0]);
  await clock.advance(60_000);
  offer();
  t.deepEqual(refused, [said, said]);
});

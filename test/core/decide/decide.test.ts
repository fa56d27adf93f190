import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import type { Action, Decision } from '../../../agent/core/decide/decision.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import type { NodeView } from '../../../agent/core/model.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import { heard, intent, POLICY, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, B, type Change, onA, onB } from './three-nodes.ts';

// haproxy01 is preferred (base 0), haproxy02 the other (base 100), unless said.

const DOWN: Change = { health: 'down', healthReason: 'HAProxy is down: socket refused' };
const away = (node: NodeView, change: Partial<NodeView> = {}): NodeView => ({
  ...node,
  fresh: false,
  peerClass: 'suspect',
  ...change,
});

/** What of a decision most rows are about. */
const essence = ({ actions, verdicts }: Decision) => ({
  actions: actions.map(brief),
  owner: verdicts[0]?.owner ?? null,
  yieldTo: verdicts[0]?.yieldTo ?? null,
});
const brief = (action: Action): string =>
  'advskew' in action ? `${action.kind} ${action.advskew}` : action.kind;

const ask = (at: View, memory = NO_MEMORY, nowMs = NOW) => essence(decide(at, memory, nowMs));

test('steady: the preferred node has it, and nothing is to be done on either', (t) => {
  const nodes = [onA({ state: 'MASTER' }), onB({})];
  t.deepEqual(ask(view(A, nodes)), { actions: [], owner: A, yieldTo: null });
  t.deepEqual(ask(view(B, nodes)), { actions: [], owner: A, yieldTo: null });
  t.is(
    decide(view(A, nodes), NO_MEMORY, NOW).verdicts[0]?.reason,
    '1@wan stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
  );
});

test('HAProxy down here, peer serves: lowers itself to 254 at once', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({})];
  const decision = decide(view(A, nodes), NO_MEMORY, NOW);
  t.deepEqual(decision.actions, [
    {
      kind: 'set-advskew',
      address: '1@wan',
      interface: 'vtnet0',
      vhid: 1,
      advskew: 254,
      reason:
        '1@wan moves from haproxy01 to haproxy02: HAProxy is down: socket refused on haproxy01',
    },
  ]);
  t.deepEqual(ask(view(B, nodes)), { actions: [], owner: B, yieldTo: null }, 'B is not asked yet');
});

test('HAProxy down here, lowered and read again: names the taker, and the taker forces once', (t) => {
  const lowered = onA({ state: 'MASTER', advskew: 254 }, DOWN);
  const holder = decide(view(A, [lowered, onB({})]), NO_MEMORY, NOW);
  t.deepEqual(essence(holder), { actions: [], owner: B, yieldTo: B });

  const naming = onA({ state: 'MASTER', advskew: 254, yieldTo: B }, DOWN);
  const taker = decide(view(B, [onB({}), naming]), NO_MEMORY, NOW);
  t.deepEqual(essence(taker), { actions: ['take 100'], owner: B, yieldTo: null });
  const again = decide(view(B, [onB({}), naming]), taker.memory, NOW + 5);
  t.deepEqual(essence(again), { actions: [], owner: B, yieldTo: null }, 'not twice in a second');
});

test('a forced promotion that does not stand is tried twice in ten seconds, then alerts', (t) => {
  const nodes = [onB({}), onA({ state: 'MASTER', advskew: 254, yieldTo: B }, DOWN)];
  let memory = NO_MEMORY;
  const seen: (readonly string[])[] = [];
  let alerts: Decision['alerts'] = [];
  for (const atMs of [NOW, NOW + 1000, NOW + 2000, NOW + 10_001]) {
    const decision = decide(view(B, nodes), memory, atMs);
    memory = decision.memory;
    seen.push(decision.actions.map(brief));
    if (decision.alerts.length > 0) alerts = decision.alerts;
  }
  t.deepEqual(seen, [['take 100'], ['take 100'], [], ['take 100']]);
  t.deepEqual(alerts, [
    {
      id: 'move-failed',
      subject: '1@wan',
      severity: 'warn',
      text: 'forced 1@wan 2 times and it did not stand; waits',
      remedy: 'proxyctl doctor',
    },
  ]);
});

test('a grant stands two seconds, even when the cause is gone, and advskew is not raised meanwhile', (t) => {
  const granted = decide(
    view(A, [onA({ state: 'MASTER', advskew: 254 }, DOWN), onB({})]),
    NO_MEMORY,
    NOW,
  );
  const recovered = view(A, [onA({ state: 'MASTER', advskew: 254 }), onB({})]);
  t.deepEqual(essence(decide(recovered, granted.memory, NOW + 1999)), {
    actions: [],
    owner: A,
    yieldTo: B,
  });
  t.deepEqual(essence(decide(recovered, granted.memory, NOW + 2000)), {
    actions: ['set-advskew 0'],
    owner: A,
    yieldTo: null,
  });
});

test('HAProxy down on both: nothing moves', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({}, DOWN)];
  t.deepEqual(ask(view(A, nodes)), { actions: [], owner: A, yieldTo: null });
  t.deepEqual(ask(view(B, nodes)), { actions: [], owner: A, yieldTo: null });
});

test('HAProxy down here and the peer is not heard: nothing is given up', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), away(onB({}))];
  t.deepEqual(ask(view(A, nodes)), { actions: [], owner: A, yieldTo: null });
});

test('an address is given up for a dead HAProxy at most once per hold', (t) => {
  const first = decide(view(A, [onA({ state: 'MASTER' }, DOWN), onB({})]), NO_MEMORY, NOW);
  const again = view(A, [onA({ state: 'MASTER' }, DOWN), onB({})]);
  const early = decide(again, first.memory, NOW + 9999);
  t.deepEqual(early.actions, []);
  t.is(early.wakeAtMs, NOW + 10_000);
  t.deepEqual(decide(again, first.memory, NOW + 10_000).actions.map(brief), ['set-advskew 254']);
});

test('degraded here and the peer serves: moves after hold, not before', (t) => {
  const since = (healthSinceMs: number): Change => ({
    health: 'degraded',
    healthSinceMs,
    healthReason: 'backend GITEA is down here and up on a peer',
  });
  const early = [onA({ state: 'MASTER' }, since(NOW - 9999)), onB({})];
  t.deepEqual(ask(view(A, early)), { actions: [], owner: A, yieldTo: null });
  const due = [onA({ state: 'MASTER' }, since(NOW - 10_000)), onB({})];
  t.deepEqual(ask(view(A, due)), { actions: ['set-advskew 254'], owner: B, yieldTo: null });
});

test('recovered, auto: after hold the holder names it, and it takes the address with its base', (t) => {
  const waiting = onA({ advskew: 254, readySinceMs: NOW - 9999 });
  t.deepEqual(ask(view(B, [onB({ state: 'MASTER' }), waiting])), {
    actions: [],
    owner: B,
    yieldTo: null,
  });
  const ready = onA({ advskew: 254, readySinceMs: NOW - 10_000 });
  t.deepEqual(ask(view(B, [onB({ state: 'MASTER' }), ready])), {
    actions: [],
    owner: A,
    yieldTo: A,
  });
  t.deepEqual(ask(view(A, [ready, onB({ state: 'MASTER', yieldTo: A })])), {
    actions: ['take 0'],
    owner: A,
    yieldTo: null,
  });
});

test('a BACKUP never raises itself before it takes the address', (t) => {
  const ready = onA({ advskew: 254 });
  t.deepEqual(ask(view(A, [ready, onB({ state: 'MASTER' })])), {
    actions: [],
    owner: A,
    yieldTo: null,
  });
});

test('recovered, manual: the present MASTER keeps it', (t) => {
  const policy = { ...POLICY, failback: 'manual' } as const;
  const nodes = [onA({ advskew: 254 }), onB({ state: 'MASTER' })];
  t.deepEqual(ask(view(A, nodes, { policy })), { actions: [], owner: B, yieldTo: null });
  t.deepEqual(ask(view(B, nodes, { policy })), { actions: [], owner: B, yieldTo: null });
});

test('pin to the other node and it is able: the holder lowers itself and names it', (t) => {
  const intents = wishes(intent('pin/1@wan', B, { reason: 'kernel update' }));
  const nodes = [onA({ state: 'MASTER' }), onB({})];
  const decision = decide(view(A, nodes, { intents }), NO_MEMORY, NOW);
  t.deepEqual(essence(decision), { actions: ['set-advskew 254'], owner: B, yieldTo: null });
  t.is(
    decision.verdicts[0]?.reason,
    '1@wan moves from haproxy01 to haproxy02: pinned to haproxy02 by anna, "kernel update"',
  );
});

test('pin against the base order: the holder need not lower itself to be beaten', (t) => {
  const intents = wishes(intent('pin/1@wan', A));
  const nodes = [onB({ state: 'MASTER' }), onA({ advskew: 254, readySinceMs: NOW })];
  t.deepEqual(ask(view(B, nodes, { intents })), { actions: [], owner: A, yieldTo: A });
});

test('one that nobody has answered keeps what a MASTER named it for, and no other', (t) => {
  const intents = wishes(intent('pin/1@wan', A));
  const owner = (yieldTo: string | null) =>
    ask(
      view(
        A,
        [
          onA({ state: 'MASTER', advskew: 0 }, DOWN),
          onB({ state: 'MASTER', inTouch: true, yieldTo }, DOWN),
        ],
        { intents },
      ),
    ).owner;
  t.deepEqual([owner(null), owner(A)], [B, A]);
});

test('down beats pin: the other node serves, and the pin applies again after hold', (t) => {
  const intents = wishes(intent('pin/1@wan', A));
  const reachedPins = new Set(['1@wan']);
  const dead = [onA({ state: 'MASTER' }, DOWN), onB({})];
  t.deepEqual(ask(view(A, dead, { intents, reachedPins })), {
    actions: ['set-advskew 254'],
    owner: B,
    yieldTo: null,
  });
  const back = (readySinceMs: number): NodeView[] => [
    onB({ state: 'MASTER' }),
    onA({ advskew: 254, readySinceMs }),
  ];
  t.is(ask(view(B, back(NOW - 9999), { intents, reachedPins })).owner, B);
  t.is(ask(view(B, back(NOW - 10_000), { intents, reachedPins })).owner, A);
});

test('maintenance beats a pin to the same node', (t) => {
  const intents = wishes(intent('pin/1@wan', A), intent(`maintenance/${A}`, 'on'));
  const nodes = [onA({ state: 'MASTER' }), onB({})];
  t.deepEqual(ask(view(A, nodes, { intents })), {
    actions: ['set-advskew 254'],
    owner: B,
    yieldTo: null,
  });
});

test('nobody MASTER, all fresh and agreed: the owner forces at once', (t) => {
  const seen = [{ node: A, epoch: 1, startId: 0, sequence: 7, ageMs: 0 }];
  const nodes = [onA({}), onB({ owner: A }, { seen })];
  t.deepEqual(ask(view(A, nodes)), { actions: ['take 0'], owner: A, yieldTo: null });
  t.deepEqual(ask(view(B, nodes)), { actions: [], owner: A, yieldTo: null });
});

const unsettled: [string, NodeView[]][] = [
  ['the peer is not fresh', [onA({}), away(onB({ owner: A }))]],
  ['the peer names another owner', [onA({}), onB({ owner: B })]],
  [
    'the peer has not seen the present state',
    [
      onA({}),
      onB({ owner: A }, { seen: [{ node: A, epoch: 1, startId: 0, sequence: 6, ageMs: 0 }] }),
    ],
  ],
  [
    'the peer could not read its CARP',
    [
      onA({}),
      heard({
        ...report(B),
        addresses: [],
        seen: [{ node: A, epoch: 1, startId: 0, sequence: 7, ageMs: 0 }],
      }),
    ],
  ],
];
for (const [title, nodes] of unsettled)
  test(`nobody MASTER, but ${title}: the kernel's timer decides`, (t) => {
    t.deepEqual(ask(view(A, nodes)).actions, []);
  });

test('two MASTERs while gossip is fresh: the owner by effective advskew advertises, the other lowers itself', (t) => {
  const nodes = [onA({ state: 'MASTER' }), onB({ state: 'MASTER' })];
  const first = decide(view(A, nodes), NO_MEMORY, NOW);
  t.deepEqual(first.actions, [], 'the overlap of a move is natural');
  t.deepEqual(decide(view(A, nodes), first.memory, NOW + 30).actions.map(brief), ['advertise']);
  t.deepEqual(ask(view(B, nodes)).owner, A);

  const lowered = [onA({ state: 'MASTER', advskew: 254 }), onB({ state: 'MASTER' })];
  t.deepEqual(ask(view(A, lowered)), { actions: [], owner: B, yieldTo: null });
});

test('before it has joined an agent raises nothing, and gives up what a dead HAProxy serves to nobody', (t) => {
  const starting = { joined: false };
  const low = [onA({ state: 'MASTER', advskew: 254 }, starting), onB({})];
  t.deepEqual(ask(view(A, low)).actions, []);
  const dead = [onA({ state: 'MASTER' }, { ...DOWN, ...starting }), onB({})];
  t.deepEqual(ask(view(A, dead)).actions, ['set-advskew 254']);
  const partly = { ...starting, health: 'partly' } as const;
  t.deepEqual(ask(view(A, [onA({ state: 'MASTER' }, partly), onB({})])).actions, []);
});

test('before it has joined an agent lowers itself for a pin elsewhere that is on its own disk', (t) => {
  const intents = wishes(intent('pin/1@wan', B));
  const nodes = [onA({}, { joined: false }), onB({ state: 'MASTER' })];
  t.deepEqual(ask(view(A, nodes, { intents })).actions, ['set-advskew 254']);
});

test('a restarted agent on the MASTER does not lose the address while it joins', (t) => {
  const nodes = [onB({}), onA({ state: 'MASTER' }, { joined: false })];
  t.deepEqual(ask(view(B, nodes)), { actions: [], owner: A, yieldTo: null });
});

test("the peer's agent gone: a lowered BACKUP stays lowered, the kernel goes on as it was", (t) => {
  const gone = away(onB({ state: 'MASTER' }), { peerClass: 'agent-down' });
  t.deepEqual(ask(view(A, [onA({ advskew: 254 }), gone])).actions, []);
});

test('lowered, alone and MASTER: takes its base back', (t) => {
  const nodes = [onA({ state: 'MASTER', advskew: 254 }), away(onB({}))];
  t.deepEqual(ask(view(A, nodes)).actions, ['set-advskew 0']);
});

test('unequal advbase forbids moves and says what to do', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({ advbase: 2 })];
  const { actions, alerts } = decide(view(A, nodes), NO_MEMORY, NOW);
  t.deepEqual(actions, []);
  t.deepEqual(alerts, [
    {
      id: 'carp-config',
      subject: '1@wan',
      severity: 'fail',
      text: 'no moves: advbase is 1 here and 2 on haproxy02; make them equal',
      remedy: '',
    },
  ]);
});

test('equal base advskew forbids moves: two equal MASTERs would both yield', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({ baseAdvskew: 0, advskew: 0 })];
  const { actions, alerts } = decide(view(A, nodes), NO_MEMORY, NOW);
  t.deepEqual(actions, []);
  t.is(alerts[0]?.text, 'no moves: advskew is 0 here and on haproxy02; give each host its own');
});

test('a host whose base is unknown overrides nothing', (t) => {
  const nodes = [onA({ state: 'MASTER', baseAdvskew: null, advskew: 254 }, DOWN), onB({})];
  t.deepEqual(ask(view(A, nodes)).actions, []);
});

test('INIT here: says so and does nothing', (t) => {
  const nodes = [onA({ state: 'INIT' }), onB({ state: 'MASTER' })];
  const decision = decide(view(A, nodes), NO_MEMORY, NOW);
  t.deepEqual(decision.actions, []);
  t.is(decision.verdicts[0]?.reason, 'INIT here: link down, no address or net.inet.carp.allow=0');
});

test('a third node that would beat the taker lowers itself before the taker is named', (t) => {
  const third = (advskew: number): NodeView =>
    heard(report('haproxy03', { addresses: [address({ baseAdvskew: 50, advskew })] }));
  const intents = wishes(intent('pin/1@wan', B));
  const lowered = onA({ state: 'MASTER', advskew: 254 });
  t.is(ask(view(A, [lowered, onB({}), third(50)], { intents })).yieldTo, null);
  t.deepEqual(ask(view('haproxy03', [third(50), lowered, onB({})], { intents })).actions, [
    'set-advskew 254',
  ]);
  t.is(ask(view(A, [lowered, onB({}), third(254)], { intents })).yieldTo, B);
});

test('own demotion of 240 while the peer has none: not able, the other owns it', (t) => {
  const nodes = [onA({ state: 'MASTER' }, { demotion: 240 }), onB({})];
  t.is(ask(view(A, nodes)).owner, B);
});

import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import type { Action, Decision } from '../../../agent/core/decide/decision.ts';
import { NO_MEMORY, type Memory } from '../../../agent/core/decide/memory.ts';
import { explainAddress } from '../../../agent/core/decide/explain.ts';
import type { AddressReport, Intent, NodeView, PathReading } from '../../../agent/core/model.ts';
import { withEcho } from '../../../agent/core/peers.ts';
import { TIMINGS } from '../../../agent/core/timing.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import { heard, intent, POLICY, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, answers, B, type Change, onA, onB, silent } from './three-nodes.ts';

// haproxy01 is preferred (base 0), haproxy02 the other (base 100); hold is 10 s.
const DOWN: Change = { health: 'down', healthReason: 'HAProxy is down', healthSinceMs: NOW - 100 };
const degraded = (forMs: number): Change => ({
  health: 'degraded',
  healthReason: 'backend GITEA is down here and up on a peer',
  healthSinceMs: NOW - forMs,
});
const brief = (action: Action): string =>
  'advskew' in action ? `${action.kind} ${action.advskew}` : action.kind;
const essence = ({ actions, verdicts, alerts }: Decision) => ({
  actions: actions.map(brief),
  owner: verdicts[0]?.owner ?? null,
  alerts: alerts.map(({ id }) => id),
});
const ask = (at: View, memory: Memory = NO_MEMORY, nowMs = NOW) =>
  essence(decide(at, memory, nowMs));

test('degraded here, peer serving: nothing before hold, the move after it', (t) => {
  const at = (ms: number) => view(A, [onA({ state: 'MASTER' }, degraded(ms)), onB({})]);
  t.deepEqual(ask(at(9999)), { actions: [], owner: A, alerts: [] });
  t.deepEqual(ask(at(10_000)), { actions: ['set-advskew 254'], owner: B, alerts: [] });
});

test('both down: nothing moves, an alert', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({}, DOWN)];
  t.deepEqual(ask(view(A, nodes)), { actions: [], owner: A, alerts: ['all-down'] });
});

test('budget used up: failback and degraded hold with an alert, a dead HAProxy still moves', (t) => {
  const moves = [NOW - 300_000, NOW - 200_000, NOW - 1000];
  const spent = { ...NO_MEMORY, moves: new Map([['1@wan', moves]]) };
  const held = { state: 'MASTER', advskew: 100 } as const;
  const back = view(B, [onA({}), onB(held)]);
  t.deepEqual(ask(back, spent), { actions: [], owner: B, alerts: ['budget'] });
  const sick = view(B, [onA({}), onB(held, degraded(60_000))]);
  t.deepEqual(ask(sick, spent), { actions: [], owner: B, alerts: ['budget'] });
  t.is(ask(view(B, [onA({}), onB(held, DOWN)]), spent).owner, A);
  t.is(ask(back, spent, NOW + 301_000).owner, A, 'the window has passed');
  // The peer reads the same from the report.
  const told = view(A, [onA({ advskew: 254 }), onB({ ...held, movesAtMs: moves })]);
  t.deepEqual(ask(told), { actions: [], owner: B, alerts: ['budget'] });
});

test('a move for health or a failback is counted once it is read back, an operator’s is not', (t) => {
  const naming = onB({ state: 'MASTER', advskew: 100, yieldTo: A });
  const taking = decide(view(A, [onA({ advskew: 254 }), naming]), NO_MEMORY, NOW);
  t.deepEqual(taking.actions.map(brief), ['take 0']);
  t.deepEqual(taking.verdicts[0]?.movesAtMs, []);
  const there = decide(view(A, [onA({ state: 'MASTER' }), onB({})]), taking.memory, NOW + 20);
  t.deepEqual(there.verdicts[0]?.movesAtMs, [NOW + 20]);
  const pins = wishes(intent('pin/1@wan', A));
  const asked = decide(view(A, [onA({ advskew: 254 }), naming], { intents: pins }), NO_MEMORY, NOW);
  const done = view(A, [onA({ state: 'MASTER' }), onB({})], { intents: pins });
  t.deepEqual(decide(done, asked.memory, NOW + 20).verdicts[0]?.movesAtMs, []);
});

test('pause: no move for health, no failback, no takeover; pins and maintenance go on', (t) => {
  const pause = intent('pause', 'on');
  const at = (nodes: readonly NodeView[], ...more: Intent[]) =>
    view(A, nodes, { intents: wishes(pause, ...more) });
  t.is(ask(at([onA({ state: 'MASTER' }, DOWN), onB({})])).owner, A);
  t.is(ask(at([onA({}), onB({ state: 'MASTER' })])).owner, B, 'no failback');
  t.is(ask(at([onA({ state: 'MASTER' }), onB({})], intent('pin/1@wan', B))).owner, B);
  t.is(ask(at([onA({ state: 'MASTER' }), onB({})], intent(`maintenance/${A}`, 'on'))).owner, B);
});

test('maintenance beats a pin; a node in maintenance takes over from a dead HAProxy after hold', (t) => {
  const wish = wishes(intent(`maintenance/${A}`, 'on'), intent('pin/1@wan', A));
  const nodes = [onA({ state: 'MASTER' }), onB({})];
  t.is(ask(view(A, nodes, { intents: wish })).owner, B);
  const dead = (ms: number) => [
    onA({ advskew: 254 }),
    onB({ state: 'MASTER' }, { ...DOWN, healthSinceMs: NOW - ms }),
  ];
  t.is(ask(view(B, dead(9999), { intents: wish })).owner, B);
  t.is(ask(view(B, dead(10_000), { intents: wish })).owner, A);
});

test('both dead, one of them in maintenance: it is not given there, however long the other has been dead', (t) => {
  const wish = wishes(intent(`maintenance/${B}`, 'on'));
  const long: Change = { ...DOWN, healthSinceMs: NOW - 60_000 };
  const nodes = [onA({ state: 'MASTER' }, long), onB({}, DOWN)];
  t.deepEqual(ask(view(A, nodes, { intents: wish })), {
    actions: [],
    owner: A,
    alerts: ['all-down'],
  });
});

test('a pin beats degraded, with an alert', (t) => {
  const pins = wishes(intent('pin/1@wan', A));
  const nodes = [onA({ state: 'MASTER' }, degraded(60_000)), onB({})];
  t.deepEqual(ask(view(A, nodes, { intents: pins })), {
    actions: [],
    owner: A,
    alerts: ['pin-degraded'],
  });
});

test('254 set by hand is left, counts as maintenance and is said; our own 254 is not by hand', (t) => {
  const steady = decide(view(A, [onA({ state: 'MASTER' }), onB({})]), NO_MEMORY, NOW);
  const lowered = view(A, [onA({ state: 'MASTER', advskew: 254 }), onB({})]);
  const after = decide(lowered, steady.memory, NOW + 1000);
  t.deepEqual(essence(after), { actions: [], owner: B, alerts: ['by-hand'] });
  t.is(after.verdicts[0]?.byHand, true);
  const sick = [onA({ state: 'MASTER' }, DOWN), onB({})];
  const ours = decide(view(A, sick), steady.memory, NOW + 1000);
  t.deepEqual(ours.actions.map(brief), ['set-advskew 254']);
  const read = [onA({ state: 'MASTER', advskew: 254 }, DOWN), onB({})];
  t.is(decide(view(A, read), ours.memory, NOW + 1010).verdicts[0]?.byHand, false);
});

test('an advskew that somebody else changed is not countered before hold', (t) => {
  const at = (advskew: number) => view(B, [onA({ state: 'MASTER' }), onB({ advskew })]);
  const before = decide(at(100), NO_MEMORY, NOW);
  const changed = decide(at(50), before.memory, NOW + 1000);
  t.deepEqual(changed.actions, []);
  t.is(changed.wakeAtMs, NOW + 11_000);
  t.deepEqual(decide(at(50), changed.memory, NOW + 11_000).actions.map(brief), ['set-advskew 100']);
});

// The second path.
const quiet = (node: NodeView, ms = 300): NodeView => ({
  ...node,
  peerClass: 'suspect',
  fresh: ms < 1000,
  heardAtMs: NOW - ms,
});
const classBy = (paths: readonly PathReading[], silentMs = 300) => {
  const { peerClass, fresh } = withEcho(quiet(onA({}), silentMs), paths, TIMINGS.fast, NOW);
  return { peerClass, fresh };
};

test('peer classes: each from its own evidence', (t) => {
  t.deepEqual(classBy([silent(A), answers(null)]), { peerClass: 'dead', fresh: false });
  t.deepEqual(classBy([silent(A), silent(null)]), { peerClass: 'isolated', fresh: true });
  t.deepEqual(classBy([answers(A), answers(null)], 1200), { peerClass: 'frozen', fresh: false });
  t.deepEqual(classBy([answers(A), answers(null)]), { peerClass: 'suspect', fresh: true });
  t.deepEqual(classBy([]), { peerClass: 'suspect', fresh: true }, 'no echo: no verdict');
  const never = answers(A, { answeredAtMs: null, lostInRow: 9, lostSinceMs: NOW - 400 });
  t.deepEqual(
    classBy([never, answers(null)]),
    { peerClass: 'suspect', fresh: true },
    'icmp filtered',
  );
  const before = answers(null, { answeredAtMs: NOW - 299, lostInRow: 2, lostSinceMs: NOW - 200 });
  t.is(
    classBy([silent(A), before]).peerClass,
    'suspect',
    'the witness answered before the silence',
  );
});

const dead = (change: Partial<NodeView> = {}): NodeView => ({
  ...onA({ state: 'MASTER' }),
  peerClass: 'dead',
  fresh: false,
  heardAtMs: NOW - 320,
  ...change,
});
const evidence = { paths: [silent(A), answers(null)] };
const early = (nodes: readonly NodeView[], change: Partial<View> = {}, memory = NO_MEMORY) =>
  decide(view(B, nodes, { ...evidence, ...change }), memory, NOW);

test('a MASTER that is dead by every test is replaced early, once for one silence', (t) => {
  const taken = early([dead(), onB({})]);
  t.deepEqual(taken.actions.map(brief), ['take 100']);
  const lostIt = decide(view(B, [dead(), onB({})], evidence), taken.memory, NOW + 3000);
  t.deepEqual(lostIt.actions, [], 'not again for this silence');
});

test('no early takeover without every piece of evidence', (t) => {
  const none = (decision: Decision, why: string) => t.deepEqual(decision.actions, [], why);
  none(early([dead(), onB({})], { paths: [silent(A)] }), 'no witness');
  none(early([dead(), onB({})], { paths: [silent(A), silent(null)] }), 'the witness is silent too');
  none(early([dead(), onB({})], { lateAtMs: NOW - 500 }), 'this loop was late');
  none(early([dead({ heardAtMs: NOW - 200 }), onB({})]), 'too short a silence');
  none(early([dead({ peerClass: 'agent-down' }), onB({})]), 'its agent said goodbye');
  none(early([dead({ heardAtMs: NOW - 2500 }), onB({})]), 'it was frozen before');
  none(early([dead(), onB({}, DOWN)]), 'HAProxy does not serve here');
  const off = { ...POLICY, earlyTakeoverMs: 0 };
  none(early([dead(), onB({})], { policy: off }), 'switched off');
  const old = { ...silent(A), answeredAtMs: NOW - 2500 };
  none(early([dead(), onB({})], { paths: [old, answers(null)] }), 'the path was not proven lately');
  const backup = { ...onA({}), peerClass: 'dead' as const, fresh: false, heardAtMs: NOW - 320 };
  none(early([backup, onB({})]), 'it was not MASTER');
});

test('heard again at once, the early takeover was wrong: an alert, and none against that peer for a while', (t) => {
  const { memory } = early([dead(), onB({})]);
  const back = heard(onA({ state: 'MASTER' }).report ?? report(A), { heardAtMs: NOW + 500 });
  const wrong = decide(view(B, [back, onB({ state: 'MASTER' })]), memory, NOW + 600);
  t.true(wrong.alerts.some(({ id }) => id === 'early-wrong'));
  const next = { ...dead({ heardAtMs: NOW + 9000 }) };
  const later = NOW + 9320;
  const paths = [
    answers(A, { answeredAtMs: later - 300, lostInRow: 5, lostSinceMs: later - 280 }),
    answers(null, { answeredAtMs: later - 5 }),
  ];
  const again = (nowMs: number, shift: number) =>
    decide(
      view(B, [{ ...next, heardAtMs: NOW + 9000 + shift }, onB({})], {
        paths: paths.map((one) => ({
          ...one,
          answeredAtMs: (one.answeredAtMs ?? 0) + shift,
          lostSinceMs: one.lostSinceMs === null ? null : one.lostSinceMs + shift,
        })),
      }),
      wrong.memory,
      nowMs,
    ).actions.map(brief);
  t.deepEqual(again(later, 0), []);
  t.deepEqual(again(later + 60_000, 60_000), ['take 100'], 'a minute later it may');
});

test('a MASTER that nobody answers lowers itself after a second, the other base does not', (t) => {
  const paths = [silent(B), silent(null)];
  const gone: NodeView = { ...onB({}), peerClass: 'isolated', fresh: false, heardAtMs: NOW - 1500 };
  const at = view(A, [onA({ state: 'MASTER' }), gone], { paths });
  const first = decide(at, NO_MEMORY, NOW);
  t.deepEqual(
    { actions: first.actions, wakeAtMs: first.wakeAtMs },
    { actions: [], wakeAtMs: NOW + 1000 },
  );
  t.deepEqual(decide(at, first.memory, NOW + 1000).actions.map(brief), ['set-advskew 254']);
  const other: NodeView = {
    ...onA({}),
    peerClass: 'isolated',
    fresh: false,
    heardAtMs: NOW - 1500,
  };
  const mine = view(B, [other, onB({ state: 'MASTER' })], { paths: [silent(A), silent(null)] });
  const second = decide(mine, NO_MEMORY, NOW);
  t.deepEqual(decide(mine, second.memory, NOW + 1000).actions, [], 'two of 254 would both yield');
});

// Two MASTERs that hear each other over gossip only.
const split = (change: Partial<View> = {}, self = B) =>
  view(self, [onA({ state: 'MASTER' }), onB({ state: 'MASTER', advskew: 254 })], change);

test('two MASTERs a second after the owner advertised: the other fences itself, the keeper does not', (t) => {
  const start = decide(split(), NO_MEMORY, NOW);
  t.false(start.actions.some(({ kind }) => kind === 'fence'));
  const late = decide(split(), start.memory, NOW + 1030);
  t.deepEqual(
    { actions: late.actions.map(brief), lost: late.advertsLost },
    { actions: ['fence'], lost: true },
  );
  const keeper = decide(split({}, A), decide(split({}, A), NO_MEMORY, NOW).memory, NOW + 1030);
  t.false(keeper.actions.some(({ kind }) => kind === 'fence'));
  const off = { policy: { ...POLICY, fence: false } };
  const without = decide(split(off), decide(split(off), NO_MEMORY, NOW).memory, NOW + 1030);
  t.false(
    without.actions.some(({ kind }) => kind === 'fence'),
    'fence = false',
  );
});

/** Fenced at NOW + 1030, read back. */
test('adverts lost: a keeper whose HAProxy is dead takes nothing from one that serves', (t) => {
  const second = { address: '2@wan', vhid: 2 };
  const both = (one: Partial<AddressReport>, two: Partial<AddressReport>) => [
    address({ baseAdvskew: 0, advskew: 254, ...one }),
    address({ ...second, baseAdvskew: 100, ...two }),
  ];
  const lost = {
    sinceMs: NOW - 1000,
    fencedAt: null,
    renewedAtMs: null,
    trial: null,
    noTrialBeforeMs: 0,
    badAuth: false,
  };
  const keeps = (state: 'MASTER' | 'BACKUP', change: Change) =>
    decide(
      view(A, [
        heard(report(A, { ...change, addresses: both({ state: 'MASTER' }, { state: 'BACKUP' }) })),
        heard(
          report(B, {
            addresses: [
              address({ baseAdvskew: 100, advskew: 100, state: 'BACKUP' }),
              address({ ...second, baseAdvskew: 0, advskew: 0, state }),
            ],
          }),
        ),
      ]),
      { ...NO_MEMORY, lost },
      NOW,
    ).actions.filter(({ kind }) => kind === 'take').length;
  t.is(keeps('MASTER', {}), 1, 'one that serves keeps all');
  t.is(keeps('MASTER', DOWN), 0);
  t.is(keeps('BACKUP', DOWN), 0);
});

const inFence = (keeper: NodeView, received = { v4: 10, v6: 0, badAuth: 0 }) => {
  const from = { v4: 10, v6: 0, badAuth: 0 };
  const opened = decide(split({ received: from }), NO_MEMORY, NOW);
  const raised = decide(split({ received: from }), opened.memory, NOW + 1030);
  const fenced = onB({ state: 'INIT', advskew: 254 }, { fenced: true });
  const at = view(B, [keeper, fenced], { received, allow: false, fenceMine: true });
  return { at, memory: raised.memory };
};

test('the fence is renewed every second, and lifted when the keeper is away, not MASTER or not serving', (t) => {
  const step = (keeper: NodeView, afterMs: number) => {
    const { at, memory } = inFence(keeper);
    return decide(at, memory, NOW + 1030 + afterMs).actions.map(brief);
  };
  const keeper = onA({ state: 'MASTER' });
  t.deepEqual(step(keeper, 500), []);
  t.deepEqual(step(keeper, 1000), ['fence']);
  t.deepEqual(step({ ...keeper, fresh: false }, 500), ['unfence']);
  t.deepEqual(step(onA({ state: 'BACKUP' }), 500), ['unfence']);
  t.deepEqual(step(onA({ state: 'MASTER' }, DOWN), 500), ['unfence']);
});

test('adverts arrive again: lifted on trial, kept lifted when they authenticate, fenced again when not', (t) => {
  const keeper = onA({ state: 'MASTER' });
  const { at, memory } = inFence(keeper, { v4: 12, v6: 0, badAuth: 0 });
  const lift = decide(at, memory, NOW + 3000);
  t.deepEqual(lift.actions.map(brief), ['unfence']);
  const trial = (received: { v4: number; v6: number; badAuth: number }) =>
    view(B, [keeper, onB({ advskew: 254 })], { received, allow: true });
  const good = decide(trial({ v4: 15, v6: 0, badAuth: 0 }), lift.memory, NOW + 6500);
  t.deepEqual(
    { lost: good.advertsLost, fence: good.actions.some(({ kind }) => kind === 'fence') },
    { lost: false, fence: false },
  );
  const bad = decide(trial({ v4: 14, v6: 0, badAuth: 1 }), lift.memory, NOW + 4000);
  t.deepEqual(bad.actions.map(brief), ['fence'], 'a wrong password');
  const text = ({ alerts }: typeof bad): string | undefined =>
    alerts.find(({ id }) => id === 'adverts-lost')?.text;
  t.is(
    text(lift),
    `CARP adverts are lost between nodes that hear each other; ${A} keeps the addresses (pf, switch, password?)`,
  );
  const named = `CARP adverts arrive and are not authentic: another password, the end of a longer old one, or another list of addresses; ${A} keeps the addresses`;
  t.is(text(bad), named);
  const fenced = decide(at, bad.memory, NOW + 5000);
  t.is(text(fenced), named, 'still said while fenced, where nothing is counted');
});

test('a fence left by a dead agent is undone at start; one that is not ours is said and left', (t) => {
  const mine = view(A, [onA({ state: 'INIT' }), onB({ state: 'MASTER' })], {
    allow: false,
    fenceMine: true,
  });
  t.deepEqual(decide(mine, NO_MEMORY, NOW).actions.map(brief), ['unfence']);
  const theirs = decide({ ...mine, fenceMine: false }, NO_MEMORY, NOW);
  t.deepEqual(theirs.actions, []);
  t.true(theirs.alerts.some(({ id }) => id === 'not-allowed'));
});

test('a clock an hour off is an alert and changes nothing', (t) => {
  const off = { ...onB({}), clockOffMs: 3_600_000 };
  t.deepEqual(ask(view(A, [onA({ state: 'MASTER' }), off])), {
    actions: [],
    owner: A,
    alerts: ['clock'],
  });
});

test('explain names the inputs, and the single changes that would move the address', (t) => {
  const at = view(A, [onA({ state: 'MASTER' }), onB({})]);
  const { owner, because, flips } = explainAddress(at, '1@wan', NOW);
  t.deepEqual(
    { owner, because, flips: flips.map(({ text, owner }) => `${text}: ${owner}`) },
    {
      owner: A,
      because: 'advskew',
      flips: [
        'HAProxy on haproxy01 goes down: haproxy02',
        'haproxy01 is degraded for 10 s: haproxy02',
        'maintenance on haproxy01: haproxy02',
        'haproxy01 is not heard: haproxy02',
        'failover --to haproxy02: haproxy02',
      ],
    },
  );
});

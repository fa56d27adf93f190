import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import {
  NO_MEMORY,
  type Known,
  type Lost,
  type Memory,
} from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeView } from '../../../agent/core/model.ts';
import { heard, intent, POLICY, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import {
  A,
  answers,
  B,
  C,
  DEAD,
  MASTER,
  onA,
  onB,
  onC,
  silent,
  type Change,
} from './three-nodes.ts';

const ID = '1@wan';
const WHERE = { address: ID, interface: 'vtnet0', vhid: 1 };
const PIN_B = wishes(intent('pin/1@wan', B));
/** A decision without its memory; the times after NOW. */
function told(at: View, before: Memory = NO_MEMORY, nowMs = NOW) {
  const { actions, verdicts, alerts, wakeAtMs } = decide(at, before, nowMs);
  return {
    actions,
    reason: verdicts[0]?.reason,
    yieldTo: verdicts[0]?.yieldTo,
    alerts: alerts.map(({ id }) => id),
    wakeAfterMs: wakeAtMs === null ? null : wakeAtMs - NOW,
  };
}
const brief = (at: View, before: Memory = NO_MEMORY, nowMs = NOW): string =>
  decide(at, before, nowMs)
    .actions.map((one) => ('advskew' in one ? `${one.kind} ${one.advskew}` : one.kind))
    .join();
const calm = { yieldTo: null, alerts: [], wakeAfterMs: null };

test('a host that does not know itself decides nothing and forgets nothing', (t) => {
  const before = { ...NO_MEMORY, advertisedAtMs: 5 };
  t.deepEqual(decide(view(A, [onB(MASTER)]), before, NOW), {
    actions: [],
    verdicts: [],
    alerts: [],
    changes: [],
    advertsLost: false,
    memory: before,
    wakeAtMs: null,
  });
});

test('a verdict carries what memory adds to the reading', (t) => {
  const at = view(A, [onA(MASTER), onB()], { paths: [answers(B)] });
  t.deepEqual(decide(at, NO_MEMORY, NOW).verdicts, [
    {
      address: ID,
      owner: A,
      yieldTo: null,
      reason: '1@wan stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
      byHand: false,
      cutOff: false,
      inTouch: true,
      movesAtMs: [],
    },
  ]);
});

test('INIT: the fence says who keeps it, else what may be wrong', (t) => {
  const lost: Lost = {
    sinceMs: NOW,
    fencedAt: null,
    renewedAtMs: NOW,
    trial: null,
    noTrialBeforeMs: 0,
    badAuth: false,
  };
  const fenced = onB({ state: 'INIT', advskew: 254 }, { fenced: true });
  const reason = (keeper: NodeView) =>
    told(view(B, [keeper, fenced]), { ...NO_MEMORY, lost }).reason;
  t.is(reason(onA(MASTER)), '1@wan is fenced here: haproxy01 keeps it');
  t.is(reason(onA()), '1@wan is fenced here: another node keeps it');
});

test('who hands it over names the taker for two seconds, and what it forced itself has stood', (t) => {
  const lowered = onA({ ...MASTER, advskew: 254 });
  const forces = { ...NO_MEMORY, forces: new Map([[ID, [NOW - 10]]]) };
  const first = decide(view(A, [lowered, onB()], { intents: PIN_B }), forces, NOW);
  t.deepEqual(told(view(A, [lowered, onB()], { intents: PIN_B })), {
    actions: [],
    reason: '1@wan moves from haproxy01 to haproxy02: pinned to haproxy02 by anna',
    yieldTo: B,
    alerts: [],
    wakeAfterMs: 2000,
  });
  t.deepEqual(
    [first.memory.grants, first.memory.forces],
    [new Map([[ID, { to: B, sinceMs: NOW }]]), new Map()],
  );
  t.deepEqual(told(view(A, [onA(MASTER), onB()]), first.memory, NOW + 1999), {
    actions: [],
    reason: 'hands 1@wan to haproxy02',
    yieldTo: B,
    alerts: [],
    wakeAfterMs: 2000,
  });
});

test('nobody is named who is MASTER already, not able, or would lose against what the kernel holds', (t) => {
  const names = (mine: NodeView, other: NodeView, ...more: readonly NodeView[]) =>
    told(view(A, [mine, other, ...more], { intents: PIN_B })).yieldTo;
  const lowered = onA({ ...MASTER, advskew: 254 });
  t.is(names(lowered, onB()), B);
  t.is(names(lowered, onB(MASTER)), null);
  t.is(names(lowered, onB({ state: 'INIT' })), null);
  t.is(names(onA(MASTER), onB()), null, 'not lowered yet');
  t.is(names(onA({ ...MASTER, advskew: 254 }, { joined: false }), onB()), null, 'just started');
  t.is(names(onA({ ...MASTER, advskew: 254 }, { ...DEAD, joined: false }), onB()), B);
  t.is(names(lowered, onB(), onC({ advskew: 254 })), B);
  t.is(names(lowered, onB(), onC({ advskew: 100 })), null, 'a third would beat it');
  t.is(names(lowered, onB(), onC({ advskew: 101 })), B);
});

test('who is MASTER of none takes with its base, once a second, and twice before it waits', (t) => {
  const at = view(B, [onB(), onA({ ...MASTER, advskew: 254, yieldTo: B })], { intents: PIN_B });
  const reason = '1@wan moves from haproxy01 to haproxy02: pinned to haproxy02 by anna';
  const forced = (...ages: readonly number[]) => ({
    ...NO_MEMORY,
    forces: new Map([[ID, ages.map((age) => NOW - age)]]),
  });
  const taken = {
    ...calm,
    actions: [{ kind: 'take', advskew: 100, reason, ...WHERE }],
    reason,
    wakeAfterMs: 1000,
  };
  t.deepEqual(told(at), taken);
  t.deepEqual(decide(at, forced(1000), NOW).memory.forces, new Map([[ID, [NOW - 1000, NOW]]]));
  t.deepEqual(told(at, forced(1000)), taken);
  t.deepEqual(told(at, forced(999)), { ...calm, actions: [], reason, wakeAfterMs: 1 });
  t.deepEqual(told(at, forced(4000, 2000)), {
    ...calm,
    actions: [],
    reason: 'forced 1@wan 2 times and it did not stand; waits',
    alerts: ['move-failed'],
    wakeAfterMs: 6000,
  });
});

test('a take asks for a known base, and for every MASTER’s word', (t) => {
  const naming = { ...MASTER, advskew: 254, yieldTo: B };
  const takes = (mine: NodeView, ...holders: readonly NodeView[]) =>
    brief(view(B, [mine, ...holders], { intents: PIN_B }));
  t.is(takes(onB(), onA(naming)), 'take 100');
  t.is(takes(onB({ baseAdvskew: null, advskew: 254 }), onA(naming)), '');
  t.is(takes(onB(), onA({ ...naming, yieldTo: C })), '');
  t.is(takes(onB(), onA(naming), onC({ ...MASTER, advskew: 254 })), '', 'the second says nothing');
  t.is(takes(onB(), onA(naming), onC(naming)), 'take 100');
  t.is(takes(onB(), onA({ ...naming, advskew: 99 })), '', 'it would not stand');
  t.is(takes(onB(), onA({ ...naming, advskew: 100 })), 'take 100');
  t.is(takes(onB(), onA(naming), onC({ advskew: 100 })), '', 'a bystander would beat it');
  t.is(takes(onB(), onA(naming), onC({ advskew: 101 })), 'take 100');
  t.is(takes(onB({}, { demotion: 1 }), onA({ ...naming, advskew: 100 })), '', 'demoted');
});

test('before it has joined it takes where every MASTER’s HAProxy is dead, and only there', (t) => {
  const naming = { ...MASTER, advskew: 254, yieldTo: B };
  const takes = (...holders: readonly NodeView[]) =>
    brief(view(B, [onB({}, { joined: false }), ...holders]));
  t.is(takes(onA(naming, DEAD)), 'take 100');
  t.is(takes(onA(naming, DEAD), onC(naming, DEAD)), 'take 100');
  t.is(takes(onA(naming, DEAD), onC(naming, { health: 'partly' })), '');
  t.is(takes(onA({ owner: B }, DEAD), onC({ owner: B }, DEAD)), '', 'nobody is MASTER');
});

test('nobody is MASTER: every other node has to name it and to have seen it as it is', (t) => {
  const owned = { owner: A };
  const takes = (b: NodeView, c: NodeView, change: Partial<View> = {}) =>
    brief(view(A, [onA(), b, c], change));
  t.is(takes(onB(owned), onC(owned)), 'take 0');
  t.is(takes(onB(owned), onC({ owner: B })), '');
  t.is(takes(onB({ owner: null }), onC(owned)), '');
  t.is(takes(onB(owned), onC(owned, { seen: [] })), '');
  t.is(takes(onB(owned), { ...onC(owned), fresh: false }), '');
  t.is(takes(onB(owned), onC({ ...owned, state: 'unknown' })), '');
  t.is(takes(onB(owned), onC(owned), { intents: wishes(intent('pause', 'on')) }), '');
  t.is(brief(view(A, [onA()])), '', 'alone by configuration');
});

test('the report that it has seen is this start’s, this one or a later', (t) => {
  const takes = (seen: { epoch?: number; startId?: number; sequence?: number }) => {
    const entry = { node: A, epoch: 1, startId: 3, sequence: 7, ageMs: 0, ...seen };
    const mine = onA({}, { startId: 3 });
    return brief(view(A, [mine, onB({ owner: A }, { seen: [entry] })]));
  };
  t.deepEqual(
    [takes({}), takes({ sequence: 8 }), takes({ startId: 0 })],
    ['take 0', 'take 0', 'take 0'],
  );
  t.deepEqual([takes({ sequence: 6 }), takes({ startId: 4 }), takes({ epoch: 2 })], ['', '', '']);
});

test('the keeper of lost adverts takes every address, whoever owns it', (t) => {
  const second = { address: '2@wan', vhid: 2 };
  const two = (node: string, one: Partial<AddressReport>, other: Partial<AddressReport>) =>
    heard(report(node, { addresses: [address(one), address({ ...second, ...other })] }));
  const lost: Lost = {
    sinceMs: NOW,
    fencedAt: null,
    renewedAtMs: null,
    trial: null,
    noTrialBeforeMs: 0,
    badAuth: false,
  };
  const mine = two(A, { ...MASTER, baseAdvskew: 0 }, { baseAdvskew: 100 });
  const theirs = two(B, { baseAdvskew: 100 }, { ...MASTER, baseAdvskew: 0 });
  t.is(brief(view(A, [mine, theirs]), { ...NO_MEMORY, lost }), 'take 100');
  t.is(brief(view(B, [mine, theirs]), { ...NO_MEMORY, lost }), 'set-advskew 254,set-advskew 254');
  t.is(brief(view(A, [mine, theirs])), '');
});

test('a dead MASTER is taken early with that as the reason, and remembered', (t) => {
  const gone = { ...onA(MASTER), peerClass: 'dead', fresh: false, heardAtMs: NOW - 320 } as const;
  const at = view(B, [gone, onB()], { paths: [silent(A), answers(null)] });
  const reason = '1@wan is taken early: haproxy01 is dead';
  t.deepEqual(told(at), {
    ...calm,
    actions: [{ kind: 'take', advskew: 100, reason, ...WHERE }],
    reason,
    alerts: ['peer-dead'],
    wakeAfterMs: 1000,
  });
  t.deepEqual(decide(at, NO_MEMORY, NOW).memory.early.get(A)?.silentSinceMs, NOW - 320);
});

const known = (change: Partial<Known>, more: Partial<Memory> = {}): Memory => ({
  ...NO_MEMORY,
  known: new Map([
    [
      ID,
      {
        state: 'MASTER',
        advskew: 0,
        byHand: false,
        commanded: null,
        took: null,
        outsideAtMs: null,
        ...change,
      },
    ],
  ]),
  ...more,
});

test('the owner lowered by mistake raises itself once all others have seen it as it is', (t) => {
  const low = onA({ ...MASTER, advskew: 254 });
  const raises = (...others: readonly NodeView[]) => brief(view(A, [low, ...others]));
  t.is(raises(onB()), 'set-advskew 0');
  t.is(raises(onB({}, { seen: [] })), '');
  t.is(raises(onB(), onC({}, { seen: [] })), '');
  t.is(brief(view(A, [onA({ ...MASTER, advskew: 254 }, { joined: false }), onB()])), '');
  t.is(brief(view(A, [onA({ ...MASTER, advskew: 254, baseAdvskew: null }), onB()])), '');
});

test('a BACKUP above the owner’s base takes its base back only while another is MASTER', (t) => {
  const raises = (...others: readonly NodeView[]) =>
    brief(view(B, [onB({ advskew: 254 }), ...others]));
  t.is(raises(onA(MASTER)), 'set-advskew 100');
  t.is(raises(onA()), '');
  t.is(raises(onA(), onC(MASTER)), 'set-advskew 100');
  t.is(raises(onA(MASTER), onC()), 'set-advskew 100');
  t.is(brief(view(A, [onA({ advskew: 254, readySinceMs: NOW }), onB(MASTER)])), '', 'below it');
});

test('one that has just started lowers itself for each cause on its own disk, for no other', (t) => {
  const starting: Change = { joined: false };
  const lowers = (mine: NodeView, intents = wishes()) =>
    brief(view(A, [mine, onB(MASTER)], { intents }));
  t.is(lowers(onA({}, starting), wishes(intent(`maintenance/${A}`, 'on'))), 'set-advskew 254');
  t.is(lowers(onA({}, { ...starting, leaving: true })), 'set-advskew 254');
  t.is(lowers(onA({}, starting), PIN_B), 'set-advskew 254');
  t.is(lowers(onA({}, starting), wishes(intent('pin/1@wan', A))), '');
  t.is(lowers(onA({}, starting)), '');
});

test('given up for a dead HAProxy or closed frontends once in hold, whatever else lowers it is not', (t) => {
  const yielded = (age: number) => ({ ...NO_MEMORY, healthYields: new Map([[ID, NOW - age]]) });
  const reason = '1@wan moves from haproxy01 to haproxy02: HAProxy is down on haproxy01';
  const dead = view(A, [onA(MASTER, DEAD), onB()]);
  t.deepEqual(told(dead, yielded(9999)), {
    ...calm,
    actions: [],
    reason: `${reason}; waits, it changed just now`,
    wakeAfterMs: 1,
  });
  t.is(brief(dead, yielded(10_000)), 'set-advskew 254');
  t.deepEqual(decide(dead, NO_MEMORY, NOW).memory.healthYields, new Map([[ID, NOW]]));
  const partly = view(A, [onA(MASTER, { health: 'partly' }), onB()]);
  t.deepEqual([brief(partly, yielded(9999)), brief(partly)], ['', 'set-advskew 254']);
  const pinned = view(A, [onA(MASTER), onB()], { intents: PIN_B });
  t.is(brief(pinned, yielded(1)), 'set-advskew 254');
  t.deepEqual(decide(pinned, NO_MEMORY, NOW).memory.healthYields, new Map());
  const backup = view(A, [onA({}, DEAD), onB(MASTER)]);
  t.is(brief(backup, yielded(1)), 'set-advskew 254');
});

test('what somebody set by hand stands for hold and then is set right', (t) => {
  const changed = (age: number) => known({ state: 'BACKUP', advskew: 50, outsideAtMs: NOW - age });
  const at = view(B, [onA(MASTER), onB({ advskew: 50 })]);
  t.deepEqual([brief(at, changed(9999)), brief(at, changed(10_000))], ['', 'set-advskew 100']);
  t.is(told(at, changed(9999)).wakeAfterMs, 1);
});

test('alone on its network it lowers itself only where no other has the better base', (t) => {
  const memory = { ...NO_MEMORY, isolatedSinceMs: NOW - 1000, isolatedUntilMs: NOW - 1000 };
  const paths = [silent(B, 1000), silent(null, 1000)];
  const lost = (one: NodeView): NodeView => ({ ...one, peerClass: 'isolated', fresh: false });
  const held = (mine: Partial<AddressReport>, other: NodeView, before: Memory = memory) =>
    told(view(A, [onA({ ...MASTER, ...mine }), lost(other)], { paths }), before);
  t.deepEqual(held({}, onB()), {
    ...calm,
    actions: [
      {
        kind: 'set-advskew',
        advskew: 254,
        reason: '1@wan is held alone: no peer and no witness answers; it yields when they return',
        ...WHERE,
      },
    ],
    reason: '1@wan is held alone: no peer and no witness answers; it yields when they return',
    alerts: [],
    wakeAfterMs: 0,
  });
  const does = (mine: Partial<AddressReport>, other: NodeView, before?: Memory) =>
    held(mine, other, before).actions.length;
  t.is(does({}, onB(), { ...memory, isolatedSinceMs: NOW - 999 }), 0);
  t.is(does({ baseAdvskew: 100 }, onB({ baseAdvskew: 100 })), 1, 'the same base');
  t.is(does({ baseAdvskew: 101, advskew: 101 }, onB()), 0, 'the other has the better');
  t.is(does({ baseAdvskew: 254, advskew: 0 }, onB({ baseAdvskew: null })), 1, 'it is not known');
  const elsewhere = heard(
    report(B, {
      addresses: [address({ baseAdvskew: 100 }), address({ address: '2@wan', baseAdvskew: 0 })],
    }),
  );
  t.is(does({ baseAdvskew: 50, advskew: 50 }, elsewhere), 1, 'the better base of another address');
  const both = heard(
    report(B, {
      addresses: [address({ baseAdvskew: 0 }), address({ address: '2@wan', baseAdvskew: 200 })],
    }),
  );
  t.is(does({ baseAdvskew: 50, advskew: 50 }, both), 0);
  t.is(held({ advskew: 254 }, onB()).reason, '1@wan is held alone: nobody answers');
});

test('two MASTERs: the owner advertises after 30 ms and once a second, not in between', (t) => {
  const at = view(A, [onA(MASTER), onB(MASTER)]);
  const since = (ms: number, advertisedAgo: number | null = null): Memory => ({
    ...NO_MEMORY,
    overlaps: new Map([[ID, NOW - ms]]),
    advertisedAtMs: advertisedAgo === null ? null : NOW - advertisedAgo,
    arrivals: new Map([[ID, { from: B, sinceMs: NOW, toldAtMs: null }]]),
  });
  const wakes = (before: Memory) => {
    const { actions, wakeAfterMs } = told(at, before);
    return [actions.map(({ kind }) => kind).join(), wakeAfterMs];
  };
  t.deepEqual(wakes(since(29)), ['', 1]);
  t.deepEqual(wakes(since(30)), ['advertise', 1000]);
  t.deepEqual(wakes(since(900, 999)), ['', 1]);
  t.deepEqual(wakes(since(900, 1000)), ['advertise', 1000]);
  t.is(told(at, since(30)).reason, 'more than one MASTER for 1@wan; haproxy01 advertises at once');
  t.is(decide(at, since(30), NOW).memory.advertisedAtMs, NOW);
  const other = view(B, [onA(MASTER), onB(MASTER)]);
  t.is(brief(other, since(500)), '', 'the other one loses as it is');
});

test('a wake-up lies ahead: nobody waits for a moment that has passed', (t) => {
  const unserved = { ...NO_MEMORY, unserved: new Map([[ID, NOW - 5000]]) };
  const at = view(A, [onA({ ...MASTER, byHand: true, advskew: 254 }, DEAD), onB()]);
  const { wakeAtMs } = decide(at, { ...unserved, stepOuts: new Map([[ID, NOW - 9000]]) }, NOW);
  t.is(wakeAtMs, NOW + 1000);
  const done = decide(at, { ...unserved, stepOuts: new Map() }, NOW);
  t.deepEqual([done.actions.map(({ kind }) => kind), done.wakeAtMs], [['step-out'], NOW + 10_000]);
});

test('a handshake that nobody ended is told as such when the address is left', (t) => {
  const unserved = { ...NO_MEMORY, unserved: new Map([[ID, NOW - 2500]]) };
  const left = (why: string) => `1@wan is left to whoever lives: HAProxy is down here and ${why}`;
  const lowered = onA({ ...MASTER, advskew: 254 }, DEAD);
  t.is(told(view(A, [lowered, onB()]), unserved).reason, left('haproxy02 did not take it'));
  const away = { ...onB(), fresh: false, peerClass: 'suspect', heardAtMs: NOW - 5000 } as const;
  t.is(told(view(A, [lowered, away]), unserved).reason, left('no other node answers'));
});

test('the budget counts a take that a failback or health decided, not one that a pin or nobody’s absence did', (t) => {
  const naming = { ...MASTER, advskew: 254, yieldTo: A };
  const counts = (nodes: readonly NodeView[], change: Partial<View> = {}) =>
    decide(view(A, nodes, change), NO_MEMORY, NOW).memory.known.get(ID)?.took?.counts;
  t.is(counts([onA(), onB(naming)]), true);
  t.is(counts([onA(), onB(naming)], { intents: wishes(intent('pin/1@wan', A)) }), false);
  t.is(counts([onA(), onB({ owner: A })]), false);
  t.is(counts([onA(), onB(naming, DEAD)]), false);
  const same = [onA({ baseAdvskew: 100 }), onB({ ...naming, baseAdvskew: null, advskew: 100 })];
  t.is(counts(same), true, 'by name');
  t.is(counts([onA(), onB(naming, { health: 'degraded', healthSinceMs: NOW - 60_000 })]), true);
});

test('configuration in which kernels cannot agree forbids every move, one with the word on each', (t) => {
  const says = (b: Partial<AddressReport>, c: Partial<AddressReport> = {}) =>
    told(view(A, [onA(MASTER, DEAD), onB(b), onC(c)]));
  t.deepEqual(says({}, { baseAdvskew: 0 }), {
    ...calm,
    actions: [],
    reason: 'no moves: advskew is 0 here and on haproxy03; give each host its own',
    alerts: ['carp-config'],
    wakeAfterMs: 2500,
  });
  t.is(
    says({}, { advbase: 2 }).reason,
    'no moves: advbase is 1 here and 2 on haproxy03; make them equal',
  );
  const unknown = view(A, [
    onA({ baseAdvskew: null, advskew: 5 }),
    onB({ ...MASTER, baseAdvskew: null }),
  ]);
  t.deepEqual(told(unknown).alerts, ['no-base']);
});

test('a dead HAProxy that nobody answers stays lowered, and is not raised before somebody does', (t) => {
  const away = { ...onB(), fresh: false, peerClass: 'suspect', heardAtMs: NOW - 500 } as const;
  const since = { ...NO_MEMORY, unserved: new Map([[ID, NOW - 300]]) };
  const at = (advskew: number, change: Partial<View> = {}) =>
    brief(view(A, [onA({ ...MASTER, advskew }, DEAD), away], change), since);
  t.deepEqual([at(254), at(0)], ['', '']);
  t.is(at(254, { intents: wishes(intent('pause', 'on')) }), 'set-advskew 0');
  t.is(
    brief(view(A, [onA({ ...MASTER, advskew: 254 }, DEAD), { ...away, peerClass: 'dead' }]), since),
    'set-advskew 0',
  );
  t.is(
    brief(view(A, [onA({ ...MASTER, advskew: 254 }), away], { policy: POLICY })),
    'set-advskew 0',
  );
});

test('nobody is named before this host is at what it should hold, though the taker would win', (t) => {
  const at = (advskew: number) =>
    told(view(A, [onA({ ...MASTER, advskew }), onB()], { intents: PIN_B })).yieldTo;
  t.deepEqual([at(200), at(254)], [null, B]);
  const leaving = onA({ ...MASTER, advskew: 254 }, { ...DEAD, joined: false, leaving: true });
  t.is(told(view(A, [leaving, onB()])).yieldTo, null, 'it leaves, and not for HAProxy');
});

test('a host whose base is not known lowers and raises nothing', (t) => {
  const unknown = { ...MASTER, baseAdvskew: null, advskew: 50 };
  t.is(brief(view(A, [onA(unknown, DEAD), onB()])), '');
});

test('a holder that is to lose raises itself to its base, where that loses already', (t) => {
  const intents = wishes(intent('pin/1@wan', A));
  t.is(brief(view(B, [onA(), onB({ ...MASTER, advskew: 254 })], { intents })), 'set-advskew 100');
});

test('what this host has seen of itself is not asked', (t) => {
  t.is(brief(view(A, [onA({ ...MASTER, advskew: 254 }, { seen: [] }), onB()])), 'set-advskew 0');
});

test('a base that only equals what the owner will advertise is lowered', (t) => {
  const owner = onA({ ...MASTER, baseAdvskew: 80 }, { demotion: 20 });
  t.is(brief(view(B, [owner, onB()])), 'set-advskew 254');
  t.is(brief(view(B, [owner, onB({ baseAdvskew: 101, advskew: 101 })])), '');
});

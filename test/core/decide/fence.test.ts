import test from 'ava';
import { fencePart } from '../../../agent/core/decide/fence.ts';
import { NO_MEMORY, type Lost, type Memory } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeView, Received } from '../../../agent/core/model.ts';
import { heard, intent, POLICY, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, B, C, DEAD, MASTER, onA, onB, onC, reportOf, type Change } from './three-nodes.ts';

const LOST: Lost = {
  sinceMs: NOW - 1000,
  fencedAt: null,
  renewedAtMs: null,
  trial: null,
  noTrialBeforeMs: 0,
  badAuth: false,
};
const KNOWN: Memory = { ...NO_MEMORY, lost: LOST };
const remembering = (lost: Partial<Lost>): Memory => ({ ...NO_MEMORY, lost: { ...LOST, ...lost } });
const counted = (v4: number, v6 = 0, badAuth = 0): Received => ({ v4, v6, badAuth });
const told = (keeper: string) => [
  {
    id: 'adverts-lost',
    subject: 'carp',
    severity: 'fail',
    text: `CARP adverts are lost between nodes that hear each other; ${keeper} keeps the addresses (pf, switch, password?)`,
    remedy: 'proxyctl doctor',
  },
];
/** What a node does about lost adverts, with what it remembers of them alone. */
function part(at: View, before: Memory = KNOWN, nowMs = NOW) {
  const me = at.nodes.find(({ node }) => node === at.self)?.report ?? report(at.self);
  const { memory, ...rest } = fencePart(at, me, before, nowMs);
  return { ...rest, lost: memory.lost };
}
const essence = (at: View, before: Memory = KNOWN, nowMs = NOW) => {
  const { actions, keeper, wakeAtMs, lost } = part(at, before, nowMs);
  const after = wakeAtMs === null ? null : wakeAtMs - nowMs;
  return { does: actions.map(({ kind }) => kind).join(), keeper, after, known: lost !== null };
};
const lowered = { ...MASTER, advskew: 254 };
const split = (change: Partial<View> = {}) => view(B, [onA(MASTER), onB(lowered)], change);

test('the other of two MASTERs fences itself for a second at a time, and says who keeps the addresses', (t) => {
  t.deepEqual(part(split({ received: counted(7) })), {
    actions: [
      { kind: 'fence', reason: 'fenced: adverts are lost and haproxy01 keeps the addresses' },
    ],
    keeper: A,
    alerts: told(A),
    wakeAtMs: NOW + 1000,
    lost: { ...LOST, fencedAt: counted(7), renewedAtMs: NOW },
  });
});

test('nobody fences itself before everything is ready for it', (t) => {
  const waits = (at: View, why: string) =>
    t.deepEqual(essence(at), { does: '', keeper: A, after: null, known: true }, why);
  waits(split({ policy: { ...POLICY, fence: false } }), 'switched off');
  waits(split({ intents: wishes(intent('pause', 'on')) }), 'paused');
  waits(view(B, [onA(MASTER), onB(lowered, { joined: false })]), 'it has just started');
  waits(view(B, [onA(MASTER), onB(MASTER)]), 'it is not lowered yet');
  const does = (...nodes: readonly NodeView[]) => essence(view(B, nodes)).does;
  const backup = onB({ advskew: 254 });
  t.is(does(onA(MASTER), backup), 'fence');
  t.is(does(onA(MASTER, DEAD), backup), '', 'HAProxy is dead on the keeper');
  t.is(does(onA(MASTER, { health: 'partly' }), backup), '', 'its frontends are closed');
  t.is(does(onA(MASTER), onB({ ...MASTER, baseAdvskew: null, advskew: 200 })), 'fence');
});

test('the keeper has to be MASTER, in touch, of everything both carry', (t) => {
  const backup = onB({ advskew: 254 });
  const keeps = (mine: Partial<AddressReport>) =>
    essence(view(B, [onA({ ...MASTER, ...mine }), backup]), KNOWN).does;
  t.deepEqual([keeps({}), keeps({ cutOff: true }), keeps({ address: '2@wan' })], ['fence', '', '']);
  const second = { address: '2@wan', vhid: 2 };
  const two = (node: string, one: Partial<AddressReport>, other: Partial<AddressReport>) =>
    heard(report(node, { addresses: [address({ ...one }), address({ ...second, ...other })] }));
  const mine = two(B, { advskew: 254 }, { advskew: 254 });
  t.is(essence(view(B, [two(A, MASTER, MASTER), mine])).does, 'fence');
  t.is(essence(view(B, [two(A, MASTER, {}), mine])).does, '');
});

test('the owner of the lowest doubled vhid keeps all, else who is MASTER of the lowest and serves', (t) => {
  const many = (node: string, change: Change, ...states: readonly AddressReport['state'][]) =>
    heard(
      report(node, {
        ...change,
        addresses: states
          .map((state, at) =>
            address({
              address: `${at + 1}@wan`,
              vhid: at + 1,
              state,
              baseAdvskew: node === A ? 0 : 100,
            }),
          )
          .reverse(),
      }),
    );
  const M = 'MASTER';
  const S = 'BACKUP';
  const keeper = (...nodes: readonly NodeView[]) => essence(view(B, nodes)).keeper;
  t.is(keeper(many(A, {}, M, S), many(B, {}, S, M)), A);
  t.is(keeper(many(A, {}, S, M), many(B, {}, M, S)), B);
  t.is(keeper(many(A, {}, S, M), many(B, {}, M, M)), A, 'the second is doubled');
  t.is(keeper(many(A, {}, S, M), many(B, DEAD, M, S)), A, 'one whose HAProxy is dead keeps none');
  t.is(keeper(many(A, DEAD, S, M), many(B, DEAD, M, S)), B, 'but where all are');
  t.is(keeper(many(A, {}, S, S), many(B, {}, S, S)), null);
});

test('nobody is MASTER: nothing is done, and nobody is said to keep the addresses', (t) => {
  t.deepEqual(part(view(B, [onA(), onB()])), {
    actions: [],
    keeper: null,
    alerts: told('nobody'),
    wakeAtMs: null,
    lost: LOST,
  });
});

test('adverts count as lost after an overlap, after three promotions unasked, or by a word to the keeper', (t) => {
  const known = (memory: Partial<Memory>, at = split()) =>
    part(at, { ...NO_MEMORY, ...memory }).lost !== null;
  const overlap = (ms: number) => ({ overlaps: new Map([['1@wan', NOW - ms]]) });
  t.deepEqual([known(overlap(1029)), known(overlap(1030)), known({})], [false, true, false]);
  const unasked = (count: number) => ({ unasked: new Map([['1@wan', Array(count).fill(NOW)]]) });
  t.deepEqual([known(unasked(2)), known(unasked(3))], [false, true]);
  const mixed = {
    unasked: new Map([
      ['2@wan', []],
      ['1@wan', [NOW, NOW, NOW]],
    ]),
  };
  t.true(known(mixed));
  const word = (advertsLost: boolean) => onB({ advertsLost });
  const hears = (self: string, advertsLost: boolean) =>
    known({}, view(self, [onA(MASTER), word(advertsLost), onC()]));
  t.deepEqual([hears(A, true), hears(A, false), hears(C, true)], [true, false, false]);
  t.deepEqual(part(split(), { ...NO_MEMORY, ...overlap(2000) }).lost, {
    ...LOST,
    sinceMs: NOW,
    fencedAt: null,
    renewedAtMs: NOW,
  });
});

test('one node in trouble of three keeps the keeper from calling it over', (t) => {
  const since = (nodes: readonly NodeView[], self = A, memory: Partial<Memory> = {}) =>
    part(view(self, nodes), { ...KNOWN, ...memory }).lost?.sinceMs;
  const again = NOW;
  const before = NOW - 1000;
  t.is(since([onA(MASTER), onB(), onC()]), before);
  t.is(since([onA(MASTER), onB({ advertsLost: true }), onC()]), again);
  t.is(since([onA(MASTER), onB({}, { fenced: true }), onC()]), again);
  t.is(since([onA(), onB({ advertsLost: true }), onC(MASTER)]), before, 'not the keeper');
  t.is(since([onA(), onB(), onC()], A, { overlaps: new Map([['1@wan', NOW]]) }), again);
  t.is(since([onA(MASTER), { ...onB({ advertsLost: true }), fresh: false }, onC()]), before);
});

test('over once nothing was doubled for five seconds, and what was counted before is forgotten', (t) => {
  const calm = view(A, [onA(MASTER), onB()]);
  const before = { ...KNOWN, unasked: new Map([['1@wan', [NOW, NOW, NOW]]]) };
  const at = (nowMs: number) => fencePart(calm, reportOf(onA(MASTER)), before, nowMs);
  const kept = at(NOW + 4000);
  t.deepEqual([kept.memory.lost, kept.memory.unasked], [LOST, before.unasked]);
  const { memory, ...rest } = at(NOW + 4001);
  t.deepEqual([memory.lost, memory.unasked], [null, new Map()]);
  t.deepEqual(rest, { actions: [], keeper: null, alerts: [], wakeAtMs: null });
  const never = { ...before, lost: null, unasked: new Map([['1@wan', [NOW]]]) };
  t.deepEqual(fencePart(calm, reportOf(onA(MASTER)), never, NOW).memory.unasked, never.unasked);
});

test('a fence that nothing calls for is lifted, where it is ours and stands', (t) => {
  const does = (change: Partial<View>) => essence(split(change), NO_MEMORY).does;
  t.is(does({ fenceMine: true, allow: false }), 'unfence');
  t.is(does({ fenceMine: true, allow: true }), '');
  t.is(does({ fenceMine: false, allow: false }), '');
  t.deepEqual(part(split({ fenceMine: true, allow: false }), NO_MEMORY).actions, [
    { kind: 'unfence', reason: 'the fence is lifted: nothing calls for it' },
  ]);
});

const inside = (keeper: NodeView, change: Partial<View> = {}, mine: Partial<AddressReport> = {}) =>
  view(B, [keeper, onB({ state: 'INIT', advskew: 254, ...mine }, { fenced: true })], {
    allow: false,
    fenceMine: true,
    received: counted(10),
    ...change,
  });
const FENCED = remembering({ fencedAt: counted(10), renewedAtMs: NOW });

test('a fence is renewed each second while the keeper stands, whatever the trouble is by then', (t) => {
  t.deepEqual(part(inside(onA(MASTER)), FENCED, NOW + 999), {
    actions: [],
    keeper: A,
    alerts: told(A),
    wakeAtMs: NOW + 1000,
    lost: FENCED.lost,
  });
  t.deepEqual(part(inside(onA(MASTER)), FENCED, NOW + 1000), {
    actions: [{ kind: 'fence', reason: 'fenced: haproxy01 keeps the addresses' }],
    keeper: A,
    alerts: told(A),
    wakeAtMs: NOW + 2000,
    lost: { ...LOST, fencedAt: counted(10), renewedAtMs: NOW + 1000 },
  });
  t.true(essence(inside(onA(MASTER)), FENCED, NOW + 60_000).known, 'it is not called over inside');
  // One that was fenced when its agent started counts from the first renewal on.
  t.deepEqual(part(inside(onA(MASTER), { received: counted(3) }), KNOWN).lost, {
    ...LOST,
    fencedAt: counted(3),
    renewedAtMs: NOW,
  });
  const first = remembering({ fencedAt: counted(10) });
  t.deepEqual(part(inside(onA(MASTER)), first, 999).actions, []);
  t.is(part(inside(onA(MASTER)), first, 1000).actions.length, 1);
  const counts = inside(onA(MASTER), { received: counted(11) });
  t.deepEqual(part(counts, FENCED, NOW + 1000).lost?.fencedAt, counted(10));
});

test('a fence is lifted with the reason: no keeper, not MASTER of all, or not serving', (t) => {
  const lifted = (keeper: NodeView) => {
    const { actions, keeper: node, lost } = part(inside(keeper), FENCED, NOW + 10);
    t.deepEqual(lost, FENCED.lost);
    return [node, ...actions.map((one) => `${one.kind}: ${one.reason}`)];
  };
  const gone = 'unfence: the fence is lifted: the keeper is not heard or not MASTER';
  t.deepEqual(lifted(onA()), [null, gone]);
  t.deepEqual(lifted({ ...onA(MASTER), fresh: false }), [null, gone]);
  t.deepEqual(lifted(onA({ ...MASTER, cutOff: true })), [A, gone]);
  const dead = 'unfence: the fence is lifted: HAProxy on haproxy01 does not serve';
  t.deepEqual(lifted(onA(MASTER, DEAD)), [A, dead]);
  t.deepEqual(lifted(onA(MASTER, { health: 'partly' })), [A, dead]);
  t.deepEqual(lifted(onA(MASTER, { health: 'degraded' })), [A]);
});

test('two adverts of each vhid in every family in use lift the fence on trial', (t) => {
  const vips = (...list: readonly string[]) => ({ vips: list });
  const lifts = (to: Received | null, mine: Partial<AddressReport>, lost: Partial<Lost> = {}) =>
    essence(
      inside(onA(MASTER), { received: to }, mine),
      remembering({ ...FENCED.lost, ...lost }),
      NOW + 10,
    ).does === 'unfence';
  const v4 = vips('10.1.60.200', '10.1.60.201');
  t.deepEqual([lifts(counted(11), v4), lifts(counted(12), v4)], [false, true]);
  const both = vips('10.1.60.200', 'fd00::1');
  t.deepEqual([lifts(counted(12, 1), both), lifts(counted(12, 2), both)], [false, true]);
  t.deepEqual([lifts(counted(11, 2), both), lifts(counted(12, 0), both)], [false, false]);
  const v6 = vips('fd00::1');
  t.deepEqual([lifts(counted(10, 1), v6), lifts(counted(10, 2), v6)], [false, true]);
  const pause = { noTrialBeforeMs: NOW + 11 };
  t.deepEqual(
    [lifts(counted(20), v4, pause), lifts(counted(20), v4, { noTrialBeforeMs: NOW + 10 })],
    [false, true],
  );
  t.deepEqual(part(inside(onA(MASTER), { received: counted(12) }), FENCED, NOW + 10), {
    actions: [{ kind: 'unfence', reason: 'the fence is lifted on trial: adverts arrive again' }],
    keeper: A,
    alerts: told(A),
    wakeAtMs: null,
    lost: {
      ...LOST,
      fencedAt: counted(10),
      renewedAtMs: NOW,
      trial: { sinceMs: NOW + 10, received: counted(12) },
    },
  });
});

test('without counters a minute alone allows a trial', (t) => {
  const lost = remembering({ fencedAt: null, renewedAtMs: NOW + 58_500 });
  const blind = inside(onA(MASTER), { received: null });
  t.deepEqual(part(blind, lost, NOW + 58_999).actions, []);
  t.deepEqual(part(blind, lost, NOW + 59_000).lost?.trial, {
    sinceMs: NOW + 59_000,
    received: counted(0),
  });
  const before = remembering({ fencedAt: counted(10), renewedAtMs: NOW });
  t.is(essence(blind, before, NOW + 10).does, '');
  const unread = remembering({ fencedAt: null, renewedAtMs: NOW });
  t.is(essence(inside(onA(MASTER)), unread, NOW + 10).does, '');
});

const TRIAL = remembering({
  fencedAt: counted(10),
  renewedAtMs: NOW - 1000,
  trial: { sinceMs: NOW, received: counted(12) },
});
const tried = (
  received: Received | null,
  mine: Partial<AddressReport> = {},
  keeper = onA(MASTER),
) => view(B, [keeper, onB({ advskew: 254, ...mine })], { received, allow: true });

test('a trial lasts 3.5 s: one advert of each vhid more, and all is well again', (t) => {
  t.deepEqual(part(tried(counted(15)), TRIAL, NOW + 3499), {
    actions: [],
    keeper: A,
    alerts: told(A),
    wakeAtMs: NOW + 3500,
    lost: TRIAL.lost,
  });
  const counts = { ...TRIAL, unasked: new Map([['1@wan', [NOW]]]) };
  const { memory, ...rest } = fencePart(
    tried(counted(13)),
    reportOf(onB({ advskew: 254 })),
    counts,
    NOW + 3500,
  );
  t.deepEqual(rest, { actions: [], keeper: null, alerts: [], wakeAtMs: null });
  t.deepEqual([memory.lost, memory.unasked], [null, new Map()]);
});

test('a trial that fails fences again: a minute for a wrong password or two MASTERs, five seconds for silence', (t) => {
  const fails = (at: View, nowMs: number) => {
    const { actions, lost } = part(at, TRIAL, nowMs);
    return {
      does: actions.map(({ kind }) => kind).join(),
      pauseMs: (lost?.noTrialBeforeMs ?? 0) - nowMs,
      badAuth: lost?.badAuth,
      trial: lost?.trial,
    };
  };
  const again = { does: 'fence', badAuth: false, trial: null };
  t.deepEqual(fails(tried(counted(12)), NOW + 3500), { ...again, pauseMs: 5000 });
  t.deepEqual(fails(tried(counted(12), MASTER), NOW + 100), { ...again, pauseMs: 60_000 });
  t.deepEqual(fails(tried(counted(12, 0, 1)), NOW + 100), {
    ...again,
    pauseMs: 60_000,
    badAuth: true,
  });
  const known = { ...TRIAL, lost: { ...LOST, ...TRIAL.lost, badAuth: true } };
  t.true(part(tried(counted(12)), known, NOW + 3500).lost?.badAuth, 'what was heard once is kept');
});

test('a trial without counters lasts seven seconds', (t) => {
  t.deepEqual(essence(tried(null), TRIAL, NOW + 6999), {
    does: '',
    keeper: A,
    after: 1,
    known: true,
  });
  const counts = { ...TRIAL, unasked: new Map([['1@wan', [NOW]]]) };
  const after = fencePart(tried(null), reportOf(onB({ advskew: 254 })), counts, NOW + 7000).memory;
  t.deepEqual([after.lost, after.unasked], [null, new Map()]);
});

test('a trial ends without a verdict where there is no other keeper that serves', (t) => {
  const ended = (at: View) => {
    const { actions, keeper, lost } = part(at, TRIAL, NOW + 4000);
    return [actions, keeper, lost];
  };
  const open = { ...LOST, fencedAt: counted(10), renewedAtMs: NOW - 1000 };
  t.deepEqual(ended(tried(counted(12), {}, onA())), [[], null, open]);
  t.deepEqual(ended(tried(counted(12), MASTER, onA())), [[], B, open]);
  t.deepEqual(ended(tried(counted(12), {}, onA(MASTER, DEAD))), [[], A, open]);
});

/** A node with two addresses. */
const two = (node: string, one: Partial<AddressReport>, other: Partial<AddressReport>) =>
  heard(
    report(node, {
      addresses: [address(one), address({ address: '2@wan', vhid: 2, ...other })],
    }),
  );

test('of two addresses one that is not lowered keeps the fence from being raised', (t) => {
  const low = { advskew: 254 };
  const keeper = two(A, MASTER, MASTER);
  t.is(essence(view(B, [keeper, two(B, low, low)])).does, 'fence');
  t.is(essence(view(B, [keeper, two(B, low, { baseAdvskew: 100 })])).does, '');
});

test('lost adverts of one address are trouble, and one MASTER of two ends a trial', (t) => {
  const troubled = two(B, { advertsLost: true }, {});
  const at = view(A, [two(A, MASTER, MASTER), troubled]);
  t.is(part(at).lost?.sinceMs, NOW);
  const trial = view(B, [two(A, MASTER, MASTER), two(B, { advskew: 254 }, lowered)], {
    received: counted(12),
    allow: true,
  });
  t.is(essence(trial, TRIAL, NOW + 100).does, 'fence');
});

test('what the keeper says itself does not keep it from calling it over', (t) => {
  const keeper = onA({ ...MASTER, advertsLost: true });
  t.is(part(view(A, [keeper, onB()]), KNOWN, NOW + 4001).lost, null);
});

test('adverts of IPv6 count from when the fence was raised', (t) => {
  const at = (v6: number) =>
    essence(
      inside(onA(MASTER), { received: counted(12, v6) }, { vips: ['10.1.60.200', 'fd00::1'] }),
      remembering({ fencedAt: counted(10, 5), renewedAtMs: NOW }),
      NOW + 10,
    ).does;
  t.deepEqual([at(6), at(7)], ['', 'unfence']);
});

import test from 'ava';
import type { Action } from '../../../agent/core/decide/decision.ts';
import { NO_MEMORY, type Known, type Memory } from '../../../agent/core/decide/memory.ts';
import { arrivalPart } from '../../../agent/core/decide/arrivals.ts';
import { commanded, gained, remember } from '../../../agent/core/decide/remember.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, NodeView } from '../../../agent/core/model.ts';
import { heard, intent, POLICY, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, answers, B, DEAD, MASTER, onA, onB, onC, reportOf, silent } from './three-nodes.ts';

const ID = '1@wan';
const KNOWN: Known = {
  state: 'BACKUP',
  advskew: 0,
  byHand: false,
  commanded: null,
  took: null,
  outsideAtMs: null,
};
const knowing = (change: Partial<Known>, more: Partial<Memory> = {}): Memory => ({
  ...NO_MEMORY,
  known: new Map([[ID, { ...KNOWN, ...change }]]),
  ...more,
});
/** What haproxy01 remembers after it read this of itself, beside these others. */
const after = (
  mine: NodeView,
  others: readonly NodeView[],
  before: Memory = NO_MEMORY,
  change: Partial<View> = {},
  nowMs = NOW,
) => remember(view(A, [mine, ...others], change), reportOf(mine), before, nowMs);
const TOOK = { atMs: NOW - 20, counts: true, reason: 'asked' };

test('a first reading is remembered as it is, and nothing else is concluded from it', (t) => {
  const none = { ...NO_MEMORY, moves: new Map([[ID, []]]), unasked: new Map([[ID, []]]) };
  t.deepEqual(after(onA(), [onB(MASTER)]), {
    ...none,
    known: new Map([[ID, KNOWN]]),
    holders: new Map([[ID, B]]),
  });
  t.deepEqual(after(onA({ ...MASTER, advskew: 254 }), [onB()]), {
    ...none,
    known: new Map([[ID, { ...KNOWN, state: 'MASTER', advskew: 254 }]]),
  });
});

test('an advskew that neither was there before nor was commanded is somebody else’s', (t) => {
  const read = (advskew: number, before: Partial<Known>) => {
    const known = after(onA({ advskew }), [onB()], knowing(before)).known.get(ID);
    return [known?.byHand, known?.outsideAtMs];
  };
  t.deepEqual(read(0, {}), [false, null]);
  t.deepEqual(read(50, {}), [false, NOW]);
  t.deepEqual(read(254, {}), [true, NOW]);
  t.deepEqual(read(254, { commanded: 254 }), [false, null]);
  t.deepEqual(read(254, { commanded: 0 }), [true, NOW]);
  t.deepEqual(read(254, { advskew: 254, byHand: true, outsideAtMs: 5 }), [true, 5]);
  t.deepEqual(read(254, { advskew: 254 }), [false, null]);
  t.deepEqual(read(0, { advskew: 254, byHand: true, outsideAtMs: 5 }), [false, NOW]);
});

test('what was commanded and taken is kept until the address is MASTER here', (t) => {
  const before = { commanded: 0, took: TOOK };
  const kept = after(onA(), [onB(MASTER)], knowing(before)).known.get(ID);
  t.deepEqual(kept, { ...KNOWN, ...before });
  const there = after(onA(MASTER), [onB()], knowing(before)).known.get(ID);
  t.deepEqual(there, { ...KNOWN, state: 'MASTER', commanded: 0 });
});

test('a taken address counts as a move where its taking counted, one that came by itself as unasked', (t) => {
  const counted = (before: Memory, others = [onB()], mine = onA(MASTER)) => {
    const { moves, unasked } = after(mine, others, before);
    return [moves.get(ID) ?? null, unasked.get(ID) ?? null];
  };
  const none: unknown[] = [];
  t.deepEqual(counted(knowing({ took: TOOK })), [[NOW], none]);
  t.deepEqual(counted(knowing({ took: { ...TOOK, counts: false } })), [none, none]);
  t.deepEqual(counted(knowing({})), [none, none], 'nobody else was MASTER');
  t.deepEqual(counted(knowing({}), [onB(MASTER)]), [none, [NOW]]);
  t.deepEqual(counted(knowing({ took: TOOK }), [onB(MASTER)]), [[NOW], none]);
  t.deepEqual(counted(knowing({ state: 'MASTER' }), [onB(MASTER)]), [none, none]);
  t.deepEqual(counted(knowing({ state: 'INIT' }), [onB(MASTER)]), [none, none]);
  t.deepEqual(counted(NO_MEMORY, [onB(MASTER)]), [none, none]);
  const old = {
    moves: new Map([[ID, [NOW - 600_000, NOW - 599_999]]]),
    unasked: new Map([[ID, [NOW - 60_000, NOW - 59_999]]]),
  };
  t.deepEqual(counted(knowing({ took: TOOK }, old)), [[NOW - 599_999, NOW], [NOW - 59_999]]);
  t.deepEqual(counted(knowing({}, old), [onB(MASTER)]), [[NOW - 599_999], [NOW - 59_999, NOW]]);
});

test('two MASTERs overlap since the first moment; a grant lasts while this host is MASTER', (t) => {
  const grants = new Map([[ID, { to: B, sinceMs: 5 }]]);
  const at = (
    mine: Partial<AddressReport>,
    other: Partial<AddressReport>,
    before: Partial<Memory>,
  ) => {
    const memory = after(onA(mine), [onB(other)], { ...NO_MEMORY, grants, ...before });
    return [memory.overlaps.get(ID) ?? null, memory.grants.get(ID)?.to ?? null];
  };
  const since = { overlaps: new Map([[ID, 7]]) };
  t.deepEqual(at(MASTER, MASTER, {}), [NOW, B]);
  t.deepEqual(at(MASTER, MASTER, since), [7, B]);
  t.deepEqual(at(MASTER, {}, since), [null, B]);
  t.deepEqual(at({}, MASTER, since), [null, null]);
});

test('a promotion stands once it was the only MASTER for a second; else it is forgotten after ten', (t) => {
  const forces = (
    mine: Partial<AddressReport>,
    other: Partial<AddressReport>,
    ...ages: number[]
  ) => {
    const before = { ...NO_MEMORY, forces: new Map([[ID, ages.map((age) => NOW - age)]]) };
    return (
      after(onA(mine), [onB(other)], before)
        .forces.get(ID)
        ?.map((atMs) => NOW - atMs) ?? null
    );
  };
  const held = (ms: number) => ({ ...MASTER, stateSinceMs: NOW - ms });
  t.deepEqual(forces(held(999), {}, 500), [500]);
  t.is(forces(held(1000), {}, 500), null);
  t.deepEqual(forces(held(1000), MASTER, 500), [500], 'two MASTERs');
  t.deepEqual(forces({ stateSinceMs: 0 }, {}, 500), [500], 'BACKUP');
  t.deepEqual(forces({}, {}, 10_000, 9999), [9999]);
  t.is(forces({}, {}, 10_000), null);
});

test('since when this MASTER serves nobody, and since when nobody else could take it', (t) => {
  const at = (mine: NodeView, other: NodeView, before: Partial<Memory> = {}) => {
    const { unserved, alone } = after(mine, [other], { ...NO_MEMORY, ...before });
    return [unserved.get(ID) ?? null, alone.get(ID) ?? null];
  };
  const lowered = onA({ ...MASTER, advskew: 254 }, DEAD);
  const before = { unserved: new Map([[ID, 3]]), alone: new Map([[ID, 4]]) };
  t.deepEqual(at(lowered, onB()), [NOW, null]);
  t.deepEqual(at(lowered, onB(), before), [3, null]);
  t.deepEqual(at(onA(MASTER), onB({}, DEAD)), [null, NOW]);
  t.deepEqual(at(onA(MASTER), onB({}, DEAD), before), [null, 4]);
  t.deepEqual(at(onA(MASTER), onB(), before), [null, null]);
  t.deepEqual(at(onA(MASTER, DEAD), onB()), [null, null], 'not lowered: the other may not take it');
  t.deepEqual(at(onA({ ...MASTER, advskew: 100 }, DEAD), onB()), [NOW, null]);
  t.deepEqual(at(lowered, onB({}, DEAD)), [null, NOW]);
});

test('when it last stepped out is forgotten once HAProxy lives for a second again', (t) => {
  const kept = (change: Parameters<typeof onA>[1]) => {
    const before = { ...NO_MEMORY, stepOuts: new Map([[ID, 9]]) };
    return after(onA({}, change), [onB()], before).stepOuts.get(ID) ?? null;
  };
  t.is(kept({ healthSinceMs: NOW - 999 }), 9);
  t.is(kept({ healthSinceMs: NOW - 1000 }), null);
  t.is(kept({ ...DEAD, healthSinceMs: NOW - 60_000 }), 9);
});

test('the other that was MASTER last is remembered when it is none any more', (t) => {
  const holder = (others: readonly NodeView[], before: Partial<Memory> = {}) =>
    after(onA(), others, { ...NO_MEMORY, ...before }).holders.get(ID) ?? null;
  const before = { holders: new Map([[ID, 'haproxy03']]) };
  t.deepEqual([holder([onB()]), holder([onB()], before)], [null, 'haproxy03']);
  t.is(holder([onB(MASTER), onC()], before), B);
  t.is(after(onA(MASTER), [onB()]).holders.get(ID), undefined, 'not itself');
});

test('our kernel yields at once: an early takeover was wrong', (t) => {
  const early = {
    early: new Map([[B, { silentSinceMs: NOW, atMs: NOW, wrong: false, offUntilMs: 0, offMs: 0 }]]),
  };
  const wrong = (was: AddressReport['state'], state: AddressReport['state']) =>
    after(onA({ state }), [onB()], knowing({ state: was }, early)).early.get(B)?.wrong;
  t.is(wrong('MASTER', 'BACKUP'), true);
  t.is(wrong('MASTER', 'MASTER'), false);
  t.is(wrong('BACKUP', 'BACKUP'), false);
  t.is(wrong('MASTER', 'INIT'), false);
});

test('isolated since the first moment that nobody answers, and for fifteen seconds after echo is back', (t) => {
  const SILENT = { paths: [silent(B), silent(null)] };
  const away = { ...onB(), fresh: false };
  const isolated = (
    mine: NodeView,
    other: NodeView,
    change: Partial<View>,
    before: Partial<Memory> = {},
  ) => {
    const memory = after(mine, [other], { ...NO_MEMORY, ...before }, change);
    return [memory.isolatedSinceMs, memory.isolatedUntilMs];
  };
  t.deepEqual(isolated(onA(MASTER), away, SILENT), [NOW, NOW]);
  t.deepEqual(isolated(onA(MASTER), away, SILENT, { isolatedSinceMs: 5, isolatedUntilMs: 6 }), [
    5,
    NOW,
  ]);
  t.deepEqual(isolated(onA(), away, SILENT), [null, null], 'BACKUP');
  t.deepEqual(isolated(onA(MASTER), onB(), SILENT), [null, null], 'a peer is heard');
  t.deepEqual(isolated(onA(MASTER), away, { paths: [silent(B), answers(null)] }), [null, null]);
  t.deepEqual(isolated(onA({ ...MASTER, network: 'lan' }), away, SILENT), [null, null]);
  const back = { paths: [answers(B), answers(null)] };
  const until = (ms: number, other = away) =>
    isolated(onA(MASTER), other, back, { isolatedSinceMs: 5, isolatedUntilMs: NOW - ms });
  t.deepEqual(until(15_000), [null, NOW - 15_000]);
  t.deepEqual(until(15_001), [null, null]);
  t.deepEqual(until(10, onB()), [null, null], 'a peer is heard');
});

test('silence is remembered of the networks that carry an address', (t) => {
  const paths = [silent(B), silent(null), { ...silent(null), network: 'lan' }];
  const away = { ...onB(), fresh: false };
  t.deepEqual(
    after(onA(), [away], NO_MEMORY, { paths }).silence,
    new Map([['wan', { now: true, sinceMs: NOW, atMs: NOW }]]),
  );
});

const action = (kind: 'take' | 'set-advskew' | 'step-out', advskew: number): Action => ({
  kind,
  advskew,
  reason: 'because',
  address: ID,
  interface: 'vtnet0',
  vhid: 1,
});

test('what was commanded is remembered, and of a take when, why, and whether it counts', (t) => {
  const before = knowing({ took: TOOK });
  const known = (actions: readonly Action[], counts = true) =>
    commanded(before, actions, (address) => counts && address === ID, NOW).known.get(ID);
  t.deepEqual(known([action('set-advskew', 254)]), { ...KNOWN, commanded: 254, took: TOOK });
  t.deepEqual(known([action('step-out', 254)]), { ...KNOWN, commanded: 254, took: TOOK });
  const took = { atMs: NOW, counts: true, reason: 'because' };
  t.deepEqual(known([action('take', 7)]), { ...KNOWN, commanded: 7, took });
  t.deepEqual(known([action('take', 7)], false)?.took, { ...took, counts: false });
  t.deepEqual(
    known([{ kind: 'advertise', reason: 'x' }, action('set-advskew', 254)])?.commanded,
    254,
  );
  t.is(
    commanded(before, [{ kind: 'advertise', reason: 'x' }], () => true, NOW),
    before,
  );
  t.is(
    commanded(NO_MEMORY, [action('take', 7)], () => true, NOW),
    NO_MEMORY,
  );
});

test('an address that came here is a change by the agent that took it, or by the kernel', (t) => {
  const came = (before: Memory, state: AddressReport['state'] = 'MASTER') =>
    gained(before, reportOf(onA({ state })), view(A, [onA({ state }), onB()]));
  const change = { address: ID, from: null, to: A, atWallMs: NOW };
  const holders = { holders: new Map([[ID, B]]) };
  t.deepEqual(came(knowing({ took: TOOK }, holders)), [
    { ...change, from: B, cause: 'agent', reason: 'asked' },
  ]);
  const heardOf = (who: string) =>
    `carp(4) made it MASTER: ${who} was not heard or slower, or by hand`;
  t.deepEqual(came(knowing({}, holders)), [
    { ...change, from: B, cause: 'kernel', reason: heardOf(B) },
  ]);
  t.deepEqual(came(knowing({ state: 'INIT' })), [
    { ...change, cause: 'kernel', reason: heardOf('the MASTER') },
  ]);
  t.deepEqual(came(knowing({ state: 'MASTER' })), []);
  t.deepEqual(came(knowing({}), 'BACKUP'), []);
  t.deepEqual(came(NO_MEMORY), [], 'a first reading is none');
});

test('the window of moves is the policy’s', (t) => {
  const before = { ...NO_MEMORY, moves: new Map([[ID, [NOW - 5000, NOW - 4999]]]) };
  const change = { policy: { ...POLICY, windowMs: 5000 } };
  t.deepEqual(after(onA(), [onB()], before, change).moves.get(ID), [NOW - 4999]);
});

test('a MASTER is isolated with one of its addresses, from the very moment of silence', (t) => {
  const mine = heard(
    report(A, {
      addresses: [address({ ...MASTER, baseAdvskew: 0 }), address({ address: '2@lan', vhid: 2 })],
    }),
  );
  const paths = [silent(B, 0), silent(null, 0)];
  t.is(after(mine, [{ ...onB(), fresh: false }], NO_MEMORY, { paths }).isolatedSinceMs, NOW);
});

test('where the other that should have it is dead too nobody is left unserved', (t) => {
  const lowered = onA({ ...MASTER, advskew: 254 }, DEAD);
  const intents = wishes(intent('pin/1@wan', B));
  const unserved = (other: NodeView) =>
    after(lowered, [other], NO_MEMORY, { intents }).unserved.get(ID) ?? null;
  t.deepEqual([unserved(onB({}, DEAD)), unserved(onB())], [null, NOW]);
});

test('nobody is MASTER: no redundancy is lost', (t) => {
  t.is(after(onA({}, DEAD), [onB({}, DEAD)]).alone.get(ID), undefined);
  t.is(after(onA(MASTER, DEAD), [onB({}, DEAD)]).alone.get(ID), NOW);
});

test('of two addresses that came here the sooner advert is what is waited for', (t) => {
  const two = (one: Partial<AddressReport>, other: Partial<AddressReport>, node = A) =>
    heard(
      report(node, {
        addresses: [address(one), address({ address: '2@wan', vhid: 2, ...other })],
      }),
    );
  const came = (sinceMs: number) => ({ from: B, sinceMs, toldAtMs: sinceMs });
  const arrivals = new Map([
    [ID, came(NOW - 90)],
    ['2@wan', came(NOW - 50)],
  ]);
  const part = (other: NodeView, before: Memory['arrivals'], nowMs = NOW) => {
    const mine = two(MASTER, MASTER);
    const memory = { ...NO_MEMORY, arrivals: before };
    return arrivalPart(view(A, [mine, other]), reportOf(mine), NO_MEMORY, memory, nowMs);
  };
  t.is(part(two({}, {}, B), arrivals).wakeAtMs, NOW + 10);
  t.is(part(two({}, MASTER, B), new Map()).memory.arrivals.get('2@wan')?.from, B);
  t.is(part(two({}, MASTER, B), new Map()).memory.arrivals.get(ID), undefined);
  const silent = { ...onB(), report: null };
  t.deepEqual(part(silent, new Map()).memory.arrivals, new Map());
  const waits = new Map([[ID, { from: B, sinceMs: NOW, toldAtMs: NOW + 20_000 }]]);
  const kept = (afterMs: number) => part(two({}, {}, B), waits, NOW + afterMs).memory.arrivals.size;
  t.deepEqual([kept(9999), kept(10_000)], [1, 0]);
});

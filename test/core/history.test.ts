import test from 'ava';
import { decide } from '../../agent/core/decide/decide.ts';
import { NO_MEMORY, type Memory } from '../../agent/core/decide/memory.ts';
import { foundHere, type OwnerChange } from '../../agent/core/history.ts';
import type { AddressReport, NodeView } from '../../agent/core/model.ts';
import { past } from '../../agent/loop/own-history.ts';
import { heard, view } from './builders.ts';
import { address, NOW, report } from '../reports.ts';

const A = 'haproxy01';
const B = 'haproxy02';
const onA = (mine: Partial<AddressReport>): NodeView =>
  heard(report(A, { addresses: [address({ baseAdvskew: 0, ...mine })] }));
const onB = (mine: Partial<AddressReport>): NodeView =>
  heard(report(B, { addresses: [address({ baseAdvskew: 100, ...mine })] }));
const MASTER = { state: 'MASTER' } as const;
const round = (nodes: readonly NodeView[], memory: Memory = NO_MEMORY) =>
  decide(view(B, nodes), memory, NOW);
const change = (more: Partial<OwnerChange>): OwnerChange => ({
  address: '1@wan',
  from: A,
  to: B,
  cause: 'agent',
  reason: '',
  atWallMs: NOW,
  ...more,
});

test('an address that this agent took: one record, from whom and why', (t) => {
  const named = { ...MASTER, advskew: 254, yieldTo: B };
  const down = heard({
    ...report(A, { addresses: [address({ baseAdvskew: 0, ...named })] }),
    health: 'down',
    healthReason: 'HAProxy is down',
    healthSinceMs: NOW - 100,
  });
  const taking = round([down, onB({})]);
  t.deepEqual(taking.changes, [], 'commanded is not read yet');
  const read = round([onA({ advskew: 254 }), onB(MASTER)], taking.memory);
  const reason = '1@wan moves from haproxy01 to haproxy02: HAProxy is down on haproxy01';
  t.deepEqual(read.changes, [change({ reason })]);
  t.deepEqual(round([onA({ advskew: 254 }), onB(MASTER)], read.memory).changes, [], 'once');
});

test('an address that the kernel gave: so it says, and from whom', (t) => {
  const before = round([onA(MASTER), onB({})]);
  const read = round([onA(MASTER), onB(MASTER)], before.memory);
  const reason = 'carp(4) made it MASTER: haproxy01 was not heard or slower, or by hand';
  t.deepEqual(read.changes, [change({ cause: 'kernel', reason })]);
});

test('after a start: what was here already is no change, what came meanwhile is one', (t) => {
  const me = report(B, { addresses: [address({ baseAdvskew: 100, ...MASTER })] });
  t.deepEqual(foundHere(['1@wan'], me, NOW), []);
  const reason = 'it was here when the agent started';
  t.deepEqual(foundHere([], me, NOW), [change({ from: null, cause: 'away', reason })]);
});

test('what is kept: the newest, and only what changed is written', (t) => {
  const kept = past({ history: [], held: ['1@wan'] });
  const none = report(B, { addresses: [] });
  const backup = report(B, { addresses: [address({ baseAdvskew: 100 })] });
  const master = report(B, { addresses: [address({ baseAdvskew: 100, ...MASTER })] });
  const quiet = round([onA({}), onB(MASTER)]);
  t.is(kept.note(quiet, none, [], NOW), null, 'not read yet');
  t.is(kept.note(quiet, master, [], NOW), null, 'it was here before');
  t.deepEqual(kept.note(quiet, backup, [], NOW), { history: [], held: [] });
  for (let at = 1; at <= 201; at++)
    kept.note({ ...quiet, changes: [change({ atWallMs: at })] }, master, [], at);
  t.deepEqual(
    [kept.list().length, kept.list()[0]?.atWallMs, kept.list().at(-1)?.atWallMs],
    [200, 2, 201],
  );
});

/** What this node notes of one address through these states of its own, and of the peer. */
const through = (
  steps: readonly (readonly [Partial<AddressReport>, readonly NodeView[]])[],
): readonly OwnerChange[] => {
  const kept = past({ history: [], held: ['1@wan'] });
  const quiet = round([onA({}), onB(MASTER)]);
  for (const [at, [mine, peers]] of steps.entries())
    kept.note(
      { ...quiet, changes: [] },
      report(B, { addresses: [address({ baseAdvskew: 100, ...mine })] }),
      peers,
      NOW + at,
    );
  return kept.list();
};
const HAD = { ...MASTER, stateSinceMs: NOW - 5000 };

test('two MASTERs that end with the one that had it before: who gives it up says so, once', (t) => {
  const older = [onA({ ...MASTER, stateSinceMs: NOW - 600_000 })];
  const reason = 'haproxy01 had it all the while: both were MASTER, and haproxy02 gave it up';
  const back = change({ from: B, to: A, cause: 'kernel', reason, atWallMs: NOW + 1 });
  t.deepEqual(
    through([
      [HAD, older],
      [{}, older],
      [{}, older],
    ]),
    [back],
  );
  t.deepEqual(
    through([
      [HAD, []],
      [{}, []],
      [{}, older],
    ]),
    [back],
    'heard of later',
  );
});

test('an address that another node took is its own record, and no second one', (t) => {
  const taker = [onA({ ...MASTER, stateSinceMs: NOW })];
  t.deepEqual(
    through([
      [HAD, [onA({})]],
      [{}, taker],
      [{}, taker],
    ]),
    [],
  );
  t.deepEqual(
    through([
      [HAD, []],
      [{}, []],
      [HAD, []],
    ]),
    [],
    'it came back by itself',
  );
});

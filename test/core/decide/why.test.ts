import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { NodeView } from '../../../agent/core/model.ts';
import { intent, POLICY, view, wishes } from '../builders.ts';
import { NOW } from '../../reports.ts';
import { A, B, C, DEAD, MASTER, onA, onB, onC, type Change } from './three-nodes.ts';

/** The reason that haproxy01 gives, without the address. */
const says = (nodes: readonly NodeView[], change: Partial<View> = {}): string =>
  (decide(view(A, nodes, change), NO_MEMORY, NOW).verdicts[0]?.reason ?? '').replace('1@wan ', '');
const maintained = (...nodes: readonly string[]) => ({
  intents: wishes(...nodes.map((node) => intent(`maintenance/${node}`, 'on'))),
});
const WEAK: Change = {
  health: 'degraded',
  healthReason: 'backend X is down',
  healthSinceMs: NOW - 60_000,
};

test('alone: who is not heard is named, or that nobody else carries it', (t) => {
  const away = (one: NodeView): NodeView => ({ ...one, fresh: false });
  t.is(says([onA(MASTER)]), 'stays on haproxy01: no other node carries it');
  t.is(
    says([onA(MASTER), away(onB()), away(onC())]),
    'stays on haproxy01: haproxy02, haproxy03 is not heard',
  );
  t.is(
    says([onA(MASTER), onB({ address: '2@wan' }), away(onC())]),
    'stays on haproxy01: haproxy03 is not heard',
  );
});

test('of hosts with the same base the first name is at home', (t) => {
  const policy = { ...POLICY, failback: 'manual' } as const;
  const same = (name: 'first' | 'second') => [
    onA({ baseAdvskew: null, advskew: 100, ...(name === 'first' ? MASTER : {}) }),
    onB(name === 'second' ? MASTER : {}),
  ];
  t.is(
    says(same('first')),
    'stays on haproxy01: it serves and is preferred (advskew 100 against 100)',
  );
  t.is(
    says(same('second'), { policy }),
    'stays on haproxy02: failback is manual: proxyctl failback brings it to haproxy01',
  );
  t.is(
    says([onA(), onB(MASTER)], { policy }),
    'stays on haproxy02: failback is manual: proxyctl failback brings it to haproxy01',
  );
  t.is(
    says([onA({ baseAdvskew: 200 }), onB(MASTER)], { policy }),
    'stays on haproxy02: it serves and is preferred (advskew 100 against 200)',
  );
});

test('a base is told, not what is advertised meanwhile', (t) => {
  t.is(
    says([onA({ ...MASTER, advskew: 254 }), onB({ advskew: 254 })]),
    'stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
  );
});

test('what is the same on every node is told before what is left to decide', (t) => {
  t.is(
    says([onA(MASTER, DEAD), onB({}, DEAD), onC({}, DEAD)]),
    'stays on haproxy01: HAProxy is down on every node',
  );
  t.is(
    says([onA(MASTER), onB(), onC()], maintained(A, B, C)),
    'stays on haproxy01: every node is in maintenance',
  );
  t.is(
    says([onA(), onB()], maintained(A, B)),
    'belongs on haproxy01: both nodes are in maintenance; it serves and is preferred (advskew 0 against 100)',
  );
  t.is(
    says([onA(MASTER), onB(MASTER)], maintained(A, B)),
    'stays on haproxy01: both nodes are in maintenance; both are MASTER, and it advertises more often (advskew 0 against 100)',
  );
  t.is(
    says([onA(), onB(MASTER)], maintained(A, B)),
    'moves from haproxy02 to haproxy01: both nodes are in maintenance; failback, it serves and is preferred (advskew 0 against 100)',
  );
  t.is(
    says([onA(MASTER), onB(), onC({}, DEAD)]),
    'stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
    'not what is so of some of them',
  );
  t.is(
    says([onA(MASTER), onB(), onC()], maintained(C)),
    'stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
  );
});

test('two MASTERs of three: the one that is none is told as such, or the one that nobody answered', (t) => {
  t.is(
    says([onA(MASTER), onB({ ...MASTER, advskew: 240 })]),
    'stays on haproxy01: both are MASTER, and it advertises more often (advskew 0 against 240)',
  );
  t.is(
    says([onA({ ...MASTER, inTouch: true }), onB(MASTER)]),
    'stays on haproxy01: both are MASTER, and it advertises more often (advskew 0 against 100)',
    'of itself it knows better: nobody has answered here either',
  );
});

test('the window of moves is told in seconds below a minute, in minutes from there on', (t) => {
  const used = (windowMs: number) =>
    says([onA(), onB({ ...MASTER, movesAtMs: [NOW - 3, NOW - 2, NOW - 1] })], {
      policy: { ...POLICY, windowMs },
    });
  const text = (window: string): string =>
    `stays on haproxy02: 3 moves for health in ${window} are used up`;
  t.deepEqual(
    [used(59_000), used(60_000), used(90_000)],
    [text('59 s'), text('1 min'), text('2 min')],
  );
});

test('what speaks against the other node is the reason: each place in its own words', (t) => {
  const stays = (other: NodeView, change: Partial<View> = {}) =>
    says([onA(MASTER), other], change).replace('stays on haproxy01: ', '');
  t.is(stays(onB({ state: 'INIT' })), 'haproxy02 cannot take it (its vhid is INIT)');
  t.is(stays(onB({}, { joined: false })), 'haproxy02 cannot take it (its agent has just started)');
  t.is(stays(onB({}, DEAD)), 'HAProxy is down on haproxy02');
  t.is(
    stays(onB({}, { health: 'partly', healthReason: 'frontend web is not open' })),
    'frontend web is not open on haproxy02',
  );
  t.is(stays(onB({}, { demotion: 240 })), 'haproxy02 is demoted (its CARP demotion is 240)');
  t.is(stays(onB(), maintained(B)), 'haproxy02 is in maintenance');
  t.is(stays(onB({}, WEAK)), 'haproxy02 is degraded: backend X is down');
  const pin = (reason: string) => ({ intents: wishes(intent('pin/1@wan', A, { reason })) });
  t.is(stays(onB(), pin('')), 'pinned to haproxy01 by anna');
  t.is(stays(onB(), pin('kernel update')), 'pinned to haproxy01 by anna, "kernel update"');
});

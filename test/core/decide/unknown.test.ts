import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import { healthOf } from '../../../agent/core/health.ts';
import type { AddressReport, NodeReport } from '../../../agent/core/model.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import { intent, POLICY, view, wishes } from '../builders.ts';
import { address, haproxy, NOW, report } from '../../reports.ts';
import { A, B, type Change, onA, onB } from './three-nodes.ts';

// A peer of a newer build says a word that this one does not know. haproxy01 is preferred.
const UNKNOWN: Change = { health: 'unknown', healthReason: 'napping' };
const DOWN: Change = { health: 'down', healthReason: 'HAProxy is down', healthSinceMs: NOW - 100 };
const DEGRADED: Change = { health: 'degraded', healthSinceMs: NOW - 60_000 };

const ask = (at: View) => {
  const { actions, verdicts, alerts } = decide(at, NO_MEMORY, NOW);
  const [verdict] = verdicts;
  return {
    actions: actions.map((one) => ('advskew' in one ? `${one.kind} ${one.advskew}` : one.kind)),
    owner: verdict?.owner,
    yieldTo: verdict?.yieldTo,
    alerts: alerts.map(({ id }) => id),
  };
};
const nothing = { actions: [], yieldTo: null, alerts: [] };

test('a holder with a dead HAProxy gives the address to a peer whose health is unknown', (t) => {
  const held = (advskew: number) =>
    view(A, [onA({ state: 'MASTER', advskew }, DOWN), onB({}, UNKNOWN)]);
  t.deepEqual(ask(held(0)), { ...nothing, actions: ['set-advskew 254'], owner: B });
  t.deepEqual(ask(held(254)), { ...nothing, owner: B, yieldTo: B });
});

test('a node of unknown health that was named takes it: its own health is known to itself', (t) => {
  const nodes = [
    onA({ state: 'MASTER', advskew: 254, yieldTo: B }, UNKNOWN),
    onB({ advskew: 100 }),
  ];
  const pin = wishes(intent('pin/1@wan', B));
  t.deepEqual(ask(view(B, nodes, { intents: pin })), {
    ...nothing,
    actions: ['take 100'],
    owner: B,
  });
});

test('nobody takes an address from a node of unknown health for its health', (t) => {
  const held: Partial<AddressReport> = { state: 'MASTER' };
  const manual = { policy: { ...POLICY, failback: 'manual' } as const };
  for (const self of [A, B])
    t.deepEqual(ask(view(self, [onA(held, UNKNOWN), onB({})])), { ...nothing, owner: A });
  const back = (change: Change) =>
    view(A, [onA({}), onB({ ...held, advskew: 100 }, change)], manual);
  t.deepEqual(ask(back(UNKNOWN)), { ...nothing, actions: ['set-advskew 254'], owner: B });
  t.deepEqual(ask(back(UNKNOWN)), ask(back({})));
});

test('unknown is no reason to move: a degraded holder keeps it against a peer of unknown health', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DEGRADED), onB({}, UNKNOWN)];
  t.deepEqual(ask(view(A, nodes)), { ...nothing, owner: A });
});

test('a peer of unknown health is not counted among those that are down', (t) => {
  const nodes = [onA({ state: 'MASTER' }, DOWN), onB({}, UNKNOWN)];
  t.false(ask(view(A, nodes)).alerts.includes('all-down'));
});

test('while one node’s CARP state is unknown nobody forces for want of a MASTER', (t) => {
  const agreed = (state: AddressReport['state']) =>
    view(A, [
      onA({}),
      onB(
        { state, owner: A },
        { seen: [{ node: A, epoch: 1, startId: 0, sequence: 7, ageMs: 0 }] },
      ),
    ]);
  t.deepEqual(ask(agreed('BACKUP')), {
    ...nothing,
    actions: ['take 0'],
    owner: A,
  });
  t.deepEqual(ask(agreed('unknown')), { ...nothing, owner: A });
});

test('a node of unknown CARP state is able: it may be named, and it is no second MASTER', (t) => {
  const given = view(A, [onA({ state: 'MASTER', advskew: 254 }, DOWN), onB({ state: 'unknown' })]);
  t.deepEqual(ask(given), { ...nothing, owner: B, yieldTo: B });
  const kept = view(A, [onA({ state: 'MASTER' }), onB({ state: 'unknown' })]);
  t.deepEqual(ask(kept), { ...nothing, owner: A });
});

test('an unknown state at a peer degrades nobody, and an unknown HAProxy state is not down', (t) => {
  const init = report(A, { addresses: [address({ state: 'INIT' })] });
  const peer = (state: AddressReport['state']) => report(B, { addresses: [address({ state })] });
  const health = (self: NodeReport, other: NodeReport) => healthOf(self, [other]).health;
  t.is(health(init, peer('BACKUP')), 'degraded');
  t.is(health(init, peer('unknown')), 'serving');
  const half = report(A, {
    haproxy: [haproxy({ backends: [{ name: 'WEB', up: false, serversUp: 0, servers: 1 }] })],
  });
  t.is(health(half, report(B)), 'degraded');
  t.is(health(half, report(B, { haproxy: [haproxy({ state: 'unknown' })] })), 'serving');
  t.is(health(report(A, { haproxy: [haproxy({ state: 'unknown' })] }), report(B)), 'unknown');
});

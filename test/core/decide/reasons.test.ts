import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { explainAddress } from '../../../agent/core/decide/explain.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { NodeView } from '../../../agent/core/model.ts';
import { intent, POLICY, view, wishes } from '../builders.ts';
import { NOW } from '../../reports.ts';
import { A, B, type Change, MASTER, onA, onB } from './three-nodes.ts';

// haproxy01 is preferred (base 0), haproxy02 the other (base 100); hold is 10 s.
const DEAD: Change = {
  health: 'down',
  healthReason: 'HAProxy is down',
  healthSinceMs: NOW - 60_000,
};
const WEAK: Change = {
  health: 'degraded',
  healthReason: 'backend X is down',
  healthSinceMs: NOW - 60_000,
};
const PAUSE = intent('pause', 'on');
const maintained = (node: string) => intent(`maintenance/${node}`, 'on');
const says = (at: View): string => decide(at, NO_MEMORY, NOW).verdicts[0]?.reason ?? '';

test('dead on both nodes is the reason, and not that one of them serves', (t) => {
  t.is(
    says(view(A, [onA(MASTER, DEAD), onB({}, DEAD)])),
    '1@wan stays on haproxy01: HAProxy is down on both nodes',
  );
  t.is(
    says(view(B, [onA({}, DEAD), onB({ ...MASTER, readySinceMs: NOW }, DEAD)])).replace(/;.*/, ''),
    '1@wan moves from haproxy02 to haproxy01: HAProxy is down on both nodes',
  );
});

test('both in maintenance is the reason where nothing else decides', (t) => {
  const intents = wishes(maintained(A), maintained(B));
  t.is(
    says(view(A, [onA(MASTER), onB()], { intents })),
    '1@wan stays on haproxy01: both nodes are in maintenance',
  );
});

test('a pause is the reason of what it holds back, and of nothing else', (t) => {
  const intents = wishes(PAUSE);
  t.is(
    says(view(A, [onA(MASTER, DEAD), onB()], { intents })),
    '1@wan stays on haproxy01: automation is paused; else it would go to haproxy02: ' +
      'HAProxy is down on haproxy01',
  );
  t.is(
    says(view(B, [onA(), onB(MASTER)], { intents })),
    '1@wan stays on haproxy02: automation is paused; else it would go to haproxy01: failback, ' +
      'it serves and is preferred (advskew 0 against 100)',
  );
  t.is(
    says(view(A, [onA(MASTER), onB()], { intents })),
    '1@wan stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
  );
  t.is(
    says(view(A, [onA(MASTER), onB({}, DEAD)], { intents })),
    '1@wan stays on haproxy01: HAProxy is down on haproxy02',
  );
});

test('what keeps it from the preferred node is named', (t) => {
  const there = (a: NodeView, change: Partial<View> = {}): string =>
    says(view(B, [a, onB(MASTER)], change)).replace('1@wan stays on haproxy02: ', '');
  const fresh = { readySinceMs: NOW - 9999 };
  t.is(
    there(onA(fresh), { policy: { ...POLICY, failback: 'manual' } }),
    'failback is manual: proxyctl failback brings it to haproxy01',
  );
  t.is(there(onA(fresh)), 'haproxy01 takes it back once it has been well for 10 s');
  t.is(
    there(onA(fresh, { ...WEAK, healthSinceMs: NOW - 100 })),
    'haproxy01 is degraded: backend X is down',
  );
  const spent = [NOW - 3000, NOW - 2000, NOW - 1000];
  t.is(there(onA({ movesAtMs: spent })), '3 moves for health in 10 min are used up');
  t.is(
    says(view(A, [onA(MASTER, WEAK), onB({ movesAtMs: spent })])),
    '1@wan stays on haproxy01: 3 moves for health in 10 min are used up, although it is ' +
      'degraded: backend X is down',
  );
  const pin = { intents: wishes(intent(`pin/1@wan`, B)), reachedPins: new Set(['1@wan']) };
  t.is(
    says(view(A, [onA(MASTER), onB(fresh)], pin)),
    '1@wan stays on haproxy01: pinned to haproxy02 by anna, which takes it once it has been ' +
      'well for 10 s',
  );
});

test('a failback is called one, asked for or by itself', (t) => {
  const asked = intent('pin/1@wan', A, { failback: true, reason: 'done' });
  t.is(
    says(view(B, [onA(), onB(MASTER)], { intents: wishes(asked) })),
    '1@wan moves from haproxy02 to haproxy01: failback by anna, "done"',
  );
  t.is(
    says(view(B, [onA(), onB(MASTER)])),
    '1@wan moves from haproxy02 to haproxy01: failback, it serves and is preferred ' +
      '(advskew 0 against 100)',
  );
});

test('two MASTERs: what the kernels compare is the reason', (t) => {
  t.is(
    says(view(A, [onA({ ...MASTER, stateSinceMs: NOW }), onB({ ...MASTER, stateSinceMs: NOW })])),
    '1@wan stays on haproxy01: both are MASTER, and it advertises more often (advskew 0 against 100)',
  );
});

test('explain: a host whose HAProxy is down is not able, and may take nothing back', (t) => {
  const { standings, flips } = explainAddress(view(A, [onA(MASTER), onB({}, DEAD)]), '1@wan', NOW);
  t.deepEqual(
    standings.map(({ node, unableBecause, ripe }) => [node, unableBecause, ripe]),
    [
      [A, '', true],
      [B, 'HAProxy is down', false],
    ],
  );
  // No verb that would be refused: nobody can ask for haproxy02, or take haproxy01 out.
  t.deepEqual(flips, [{ text: 'haproxy01 is not heard', owner: B }]);
});

test('explain: what was said before is among what would move it, once it is taken back', (t) => {
  const paused = view(A, [onA(MASTER, DEAD), onB()], { intents: wishes(PAUSE) });
  t.deepEqual(explainAddress(paused, '1@wan', NOW).flips[0], { text: 'resume', owner: B });
  const pinned = view(B, [onA(), onB(MASTER)], { intents: wishes(intent('pin/1@wan', B)) });
  t.deepEqual(explainAddress(pinned, '1@wan', NOW).flips[0], { text: 'failback', owner: A });
  const out = view(B, [onA(), onB(MASTER)], { intents: wishes(maintained(A)) });
  const { flips } = explainAddress(out, '1@wan', NOW);
  t.deepEqual(flips[0], { text: 'maintenance off haproxy01', owner: A });
});

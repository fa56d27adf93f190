import test from 'ava';
import { forecast, leavingAgain } from '../../../agent/core/decide/forecast.ts';
import type { Intent, NodeView } from '../../../agent/core/model.ts';
import { intent, POLICY, view, wishes } from '../builders.ts';
import { NOW } from '../../reports.ts';
import { A, B, type Change, MASTER, onA, onB } from './three-nodes.ts';

const DEAD: Change = { health: 'down', healthReason: 'HAProxy is down', healthSinceMs: NOW };
const foresees = (nodes: readonly NodeView[], now: readonly Intent[], then: readonly Intent[]) =>
  forecast(view(A, nodes, { intents: wishes(...now) }), wishes(...then), NOW).map(
    ({ address: id, from, to }) => `${id} ${from ?? '-'} ${to}`,
  );

test('maintenance, resume and the end of maintenance: what would move, and nothing that moves anyway', (t) => {
  const out = intent(`maintenance/${A}`, 'on');
  const pause = intent('pause', 'on');
  t.deepEqual(foresees([onA(MASTER), onB()], [], [out]), ['1@wan haproxy01 haproxy02']);
  t.deepEqual(foresees([onA(), onB(MASTER)], [], [out]), []);
  t.deepEqual(foresees([onA(), onB(MASTER)], [out], []), ['1@wan haproxy02 haproxy01']);
  t.deepEqual(foresees([onA(MASTER, DEAD), onB()], [pause], []), ['1@wan haproxy01 haproxy02']);
  t.deepEqual(foresees([onA(MASTER), onB()], [], [pause]), []);
  // It is on its way already: not for what is asked now.
  t.deepEqual(foresees([onA(MASTER, DEAD), onB()], [], [intent('other', 'x')]), []);
});

test('a host that is not well for `hold` yet is foreseen to be', (t) => {
  const out = intent(`maintenance/${B}`, 'on');
  const back = onA({ readySinceMs: NOW - 10 });
  t.deepEqual(foresees([back, onB(MASTER)], [intent('pin/1@wan', B)], []), [
    '1@wan haproxy02 haproxy01',
  ]);
  t.deepEqual(foresees([back, onB(MASTER)], [], [out]), [], 'it goes home without it too');
});

test('what would not stay on a host once it is there says why, and else nothing', (t) => {
  const degraded: Change = {
    health: 'degraded',
    healthReason: 'backend GITEA is down here and up on a peer',
    healthSinceMs: NOW - 10,
  };
  const leaving = (nodes: readonly NodeView[], intents: readonly Intent[], policy = POLICY) =>
    leavingAgain(
      view(B, nodes, { policy }),
      wishes(...intents),
      { address: '1@wan', node: A },
      NOW,
    );
  const why = 'haproxy01 is degraded: backend GITEA is down here and up on a peer';
  t.is(leaving([onA({}, degraded), onB(MASTER)], []), why);
  t.is(leaving([onA({}, degraded), onB(MASTER)], [], { ...POLICY, failback: 'manual' }), why);
  t.is(leaving([onA({}, degraded), onB(MASTER)], [intent('pin/1@wan', A)]), null);
  t.is(leaving([onA(), onB(MASTER)], []), null);
  t.is(leaving([onA(), onB(MASTER)], [], { ...POLICY, failback: 'manual' }), null);
  t.is(leaving([onA({}, degraded), onB(MASTER, degraded)], []), null, 'no better elsewhere');
});

import test from 'ava';
import { BECAUSES } from '../../../agent/core/answers.ts';
import { decide } from '../../../agent/core/decide/decide.ts';
import { explainAddress } from '../../../agent/core/decide/explain.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import { PLACES } from '../../../agent/core/decide/places.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { NodeView } from '../../../agent/core/model.ts';
import { heard, intent, view, wishes } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { A, B, type Change, MASTER, onA, onB } from './three-nodes.ts';

// haproxy01 is preferred (base 0), haproxy02 the other (base 100); hold is 10 s.
const DEAD: Change = { health: 'down', healthReason: 'HAProxy is down', healthSinceMs: NOW - 100 };

const PARTLY: Change = {
  health: 'partly',
  healthReason: 'HAProxy: frontend web is not open',
  healthSinceMs: NOW - 100,
};
const UNKNOWN: Change = { health: 'unknown', healthReason: 'HAProxy cannot be asked' };

/** Who owns it, by which place, and the sentence that goes with it. */
const verdict = (at: View) => {
  const { owner, because } = explainAddress(at, '1@wan', NOW);
  const reason = decide(at, NO_MEMORY, NOW).verdicts[0]?.reason;
  return [owner, because, reason];
};

test('every word of `because` but only is one place, in the same order', (t) => {
  t.deepEqual(['only', ...PLACES.map(({ name }) => name)], [...BECAUSES]);
});

test('each place decides with its own word and sentence', (t) => {
  const degraded: Change = {
    health: 'degraded',
    healthReason: 'backend X is down here and up on a peer',
    healthSinceMs: NOW - 10_000,
  };
  const rows: readonly (readonly [View, readonly string[]])[] = [
    [
      view(B, [onA({ state: 'INIT' }), onB()]),
      [B, 'able', '1@wan belongs on haproxy02: haproxy01 cannot take it (its vhid is INIT)'],
    ],
    [
      view(B, [onA(MASTER, DEAD), onB()]),
      [B, 'haproxy', '1@wan moves from haproxy01 to haproxy02: HAProxy is down on haproxy01'],
    ],
    [
      view(B, [onA(MASTER, PARTLY), onB()]),
      [
        B,
        'partly',
        '1@wan moves from haproxy01 to haproxy02: HAProxy: frontend web is not open on haproxy01',
      ],
    ],
    [
      view(B, [onA({}, { joined: false }), onB()]),
      [
        B,
        'joined',
        '1@wan belongs on haproxy02: haproxy01 cannot take it (its agent has just started)',
      ],
    ],
    [
      view(B, [onA({}, { demotion: 240 }), onB(MASTER)]),
      [B, 'demotion', '1@wan stays on haproxy02: haproxy01 is demoted (its CARP demotion is 240)'],
    ],
    [
      view(B, [onA(), onB(MASTER)], { intents: wishes(intent(`maintenance/${A}`, 'on')) }),
      [B, 'maintenance', '1@wan stays on haproxy02: haproxy01 is in maintenance'],
    ],
    [
      view(B, [onA(), onB(MASTER)], { intents: wishes(intent('pin/1@wan', B)) }),
      [B, 'pin', '1@wan stays on haproxy02: pinned to haproxy02 by anna'],
    ],
    [
      view(B, [onA({}, degraded), onB(MASTER)]),
      [
        B,
        'degraded',
        '1@wan stays on haproxy02: haproxy01 is degraded: backend X is down here and up on a peer',
      ],
    ],
    [
      view(B, [onA({ readySinceMs: NOW - 9999 }), onB(MASTER)]),
      [
        B,
        'ripe',
        '1@wan stays on haproxy02: haproxy01 takes it back once it has been well for 10 s',
      ],
    ],
    [
      view(A, [onA(MASTER), onB()]),
      [
        A,
        'advskew',
        '1@wan stays on haproxy01: it serves and is preferred (advskew 0 against 100)',
      ],
    ],
  ];
  for (const [at, expected] of rows) t.deepEqual(verdict(at), [...expected]);
});

test('a living HAProxy beats a dead one, demoted, just started or observing as it may be', (t) => {
  for (const change of [
    { demotion: 240 },
    { joined: false },
    {
      joined: false,
      problems: [{ subject: 'privilege', cause: 'not root', remedy: '', sinceMs: 0 }],
    },
  ])
    t.deepEqual(verdict(view(A, [onA(MASTER, DEAD), onB({}, change)])), [
      B,
      'haproxy',
      '1@wan moves from haproxy01 to haproxy02: HAProxy is down on haproxy01',
    ]);
});

test('a host that cannot have it is not better than a dead HAProxy', (t) => {
  for (const [mine, change] of [
    [{ state: 'INIT' }, {}],
    [{}, { leaving: true }],
  ] as const)
    t.is(verdict(view(A, [onA(MASTER, DEAD), onB(mine, change)]))[0], A);
  const cut = view(B, [onA({ ...MASTER, inTouch: true }, DEAD), onB({ cutOff: true })]);
  t.is(explainAddress(cut, '1@wan', NOW).owner, A);
});

test('a demoted MASTER keeps it from one whose HAProxy has not lived for `hold`', (t) => {
  const young = onA({ readySinceMs: NOW - 9999 });
  const demoted = onB(MASTER, { demotion: 240 });
  t.is(verdict(view(B, [young, demoted]))[0], B);
  t.deepEqual(verdict(view(B, [onA({ readySinceMs: NOW - 10_000 }), demoted])).slice(0, 2), [
    A,
    'demotion',
  ]);
});

test('health is an order: serving, degraded, partly, unknown, down', (t) => {
  const degraded: Change = { health: 'degraded', healthSinceMs: NOW - 10_000 };
  const owner = (a: NodeView, b: NodeView) => explainAddress(view(A, [a, b]), '1@wan', NOW).owner;
  // Each better one takes it from a worse MASTER; of one that cannot be asked nobody knows.
  t.deepEqual(
    [
      owner(onA(MASTER, degraded), onB()),
      owner(onA(MASTER, PARTLY), onB({}, degraded)),
      owner(onA(MASTER, DEAD), onB({}, PARTLY)),
      owner(onA(MASTER, DEAD), onB({}, UNKNOWN)),
    ],
    [B, B, B, B],
  );
  t.deepEqual(
    [
      owner(onA(MASTER, PARTLY), onB({}, UNKNOWN)),
      owner(onA(MASTER, PARTLY), onB({}, PARTLY)),
      owner(onA(MASTER, UNKNOWN), onB()),
      owner(onA(MASTER, DEAD), onB({}, DEAD)),
    ],
    [A, A, A, A],
  );
  t.is(owner(onA({}, UNKNOWN), onB(MASTER)), B, 'no failback to one that cannot be asked');
  t.is(
    owner(onA({}, UNKNOWN), onB(MASTER, UNKNOWN)),
    A,
    'where none can be asked all is as before',
  );
  t.is(owner(onA({}, UNKNOWN), onB()), B, 'nobody MASTER: one that is known to serve');
  t.is(owner(onA({}, UNKNOWN), onB({}, DEAD)), A);
});

test('three nodes: what a closed frontend gives up goes past one that cannot be asked', (t) => {
  const third = heard(report('haproxy03', { addresses: [address({ baseAdvskew: 150 })] }));
  const at = view(A, [onA(MASTER, PARTLY), onB({}, UNKNOWN), third]);
  t.is(explainAddress(at, '1@wan', NOW).owner, 'haproxy03');
});

test('a closed frontend gives it to one in maintenance after `hold`, and to nobody while paused', (t) => {
  const maintained = wishes(intent(`maintenance/${B}`, 'on'));
  const owner = (sinceMs: number, intents = maintained) => {
    const mine = onA(MASTER, { ...PARTLY, healthSinceMs: NOW - sinceMs });
    return explainAddress(view(A, [mine, onB()], { intents }), '1@wan', NOW).owner;
  };
  t.deepEqual([owner(9999), owner(10_000)], [A, B]);
  t.is(owner(10_000, wishes(intent('pause', 'on'))), A);
});

test('a closed frontend beats a pin to it and gives it to one that is demoted', (t) => {
  const pinned = { intents: wishes(intent('pin/1@wan', A)) };
  t.is(explainAddress(view(A, [onA(MASTER, PARTLY), onB()], pinned), '1@wan', NOW).owner, B);
  const demoted = onB({}, { demotion: 240 });
  t.is(explainAddress(view(A, [onA(MASTER, PARTLY), demoted]), '1@wan', NOW).owner, B);
});

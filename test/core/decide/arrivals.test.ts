import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY, type Memory } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, CarpState, NodeView } from '../../../agent/core/model.ts';
import { heard, view } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';

// haproxy01 had it (base 0), haproxy02 (base 100) gets it.
const A = 'haproxy01';
const B = 'haproxy02';
const onA = (state: CarpState): NodeView =>
  heard(report(A, { addresses: [address({ baseAdvskew: 0, advskew: 254, state })] }));
const onB = (mine: Partial<AddressReport>): NodeView =>
  heard(report(B, { addresses: [address({ baseAdvskew: 100, ...mine })] }));
const gone = (node: NodeView): NodeView => ({ ...node, fresh: false, peerClass: 'dead' });

const seen = (mine: CarpState, theirs: NodeView): View => view(B, [onB({ state: mine }), theirs]);
const BEFORE = seen('BACKUP', onA('MASTER'));

/** When adverts are sent, in ms since NOW; each step is what is seen from then on. */
function adverts(steps: readonly (readonly [number, View])[], untilMs = 30_000): number[] {
  let memory: Memory = NO_MEMORY;
  const sent: number[] = [];
  for (const [at, [fromMs, what]] of steps.entries()) {
    const endMs = steps[at + 1]?.[0] ?? untilMs;
    let nowMs: number | null = fromMs;
    while (nowMs !== null && nowMs < endMs) {
      const decision = decide(what, memory, NOW + nowMs);
      ({ memory } = decision);
      if (decision.actions.some(({ kind }) => kind === 'advertise')) sent.push(nowMs);
      nowMs = decision.wakeAtMs === null ? null : decision.wakeAtMs - NOW;
    }
  }
  return sent;
}

test('a planned move: once as soon as the old MASTER reports BACKUP, once more 100 ms later', (t) => {
  const move = adverts([
    [0, BEFORE],
    [10, seen('MASTER', onA('MASTER'))],
    [25, seen('MASTER', onA('BACKUP'))],
    [5000, seen('MASTER', onA('BACKUP'))],
  ]);
  t.deepEqual(move, [25, 125]);
});

test('the old one says BACKUP before this one is seen to be MASTER: from then on', (t) => {
  const steps = [
    [0, BEFORE],
    [5, seen('BACKUP', onA('BACKUP'))],
    [20, seen('MASTER', onA('BACKUP'))],
  ] as const;
  t.deepEqual(adverts(steps), [20, 120]);
});

test('the kernel took it from one that is dead: once, 100 ms later', (t) => {
  const steps = [
    [0, BEFORE],
    [1000, seen('BACKUP', gone(onA('MASTER')))],
    [3000, seen('MASTER', gone(onA('MASTER')))],
    [20_000, seen('MASTER', gone(onA('MASTER')))],
  ] as const;
  t.deepEqual(adverts(steps), [3100]);
});

test('one that comes back as MASTER and yields is a new move, whatever woke it', (t) => {
  const steps = [
    [0, BEFORE],
    [1000, seen('BACKUP', gone(onA('MASTER')))],
    [3000, seen('MASTER', gone(onA('MASTER')))],
    [9000, seen('MASTER', onA('MASTER'))],
    [9020, seen('MASTER', onA('BACKUP'))],
  ] as const;
  t.deepEqual(adverts(steps), [3100, 9020, 9120]);
});

test('nothing for an address that stayed, came at the start, or left again', (t) => {
  t.deepEqual(adverts([[0, seen('MASTER', onA('BACKUP'))]]), [], 'it was here');
  t.deepEqual(
    adverts([
      [0, seen('BACKUP', onA('BACKUP'))],
      [3000, seen('MASTER', onA('BACKUP'))],
    ]),
    [],
    'nobody had it',
  );
  const left = [
    [0, BEFORE],
    [10, seen('MASTER', onA('MASTER'))],
    [25, seen('BACKUP', onA('MASTER'))],
  ] as const;
  t.deepEqual(adverts(left), []);
});

test('several addresses that came in one round are one act', (t) => {
  const both = (mine: CarpState, theirs: CarpState): View => {
    const two = (baseAdvskew: number, state: CarpState) => [
      address({ baseAdvskew, state }),
      address({ baseAdvskew, state, address: '2@wan', vhid: 2 }),
    ];
    return view(B, [
      heard(report(B, { addresses: two(100, mine) })),
      heard(report(A, { addresses: two(0, theirs) })),
    ]);
  };
  const start = decide(both('BACKUP', 'MASTER'), NO_MEMORY, NOW);
  const { actions } = decide(both('MASTER', 'BACKUP'), start.memory, NOW + 20);
  t.deepEqual(actions, [
    {
      kind: 'advertise',
      reason: '1@wan, 2@wan: advertised once more, so that every switch knows where it is',
    },
  ]);
});

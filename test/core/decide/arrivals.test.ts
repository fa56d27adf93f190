import test from 'ava';
import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { CarpState, NodeView } from '../../../agent/core/model.ts';
import { heard, view } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';
import { adverts, BEFORE, OLD, onOld, seen, TAKER } from './arriving.ts';

const gone = (node: NodeView): NodeView => ({ ...node, fresh: false, peerClass: 'dead' });

test('a planned move: once as soon as the old MASTER reports BACKUP, once more 100 ms later', (t) => {
  const move = adverts([
    [0, BEFORE],
    [10, seen('MASTER', onOld('MASTER'))],
    [25, seen('MASTER', onOld('BACKUP'))],
    [5000, seen('MASTER', onOld('BACKUP'))],
  ]);
  t.deepEqual(move, [25, 125]);
});

test('the old one says BACKUP before this one is seen to be MASTER: from then on', (t) => {
  const steps = [
    [0, BEFORE],
    [5, seen('BACKUP', onOld('BACKUP'))],
    [20, seen('MASTER', onOld('BACKUP'))],
  ] as const;
  t.deepEqual(adverts(steps), [20, 120]);
});

test('the kernel took it from one that is dead: once, 100 ms later', (t) => {
  const steps = [
    [0, BEFORE],
    [1000, seen('BACKUP', gone(onOld('MASTER')))],
    [3000, seen('MASTER', gone(onOld('MASTER')))],
    [20_000, seen('MASTER', gone(onOld('MASTER')))],
  ] as const;
  t.deepEqual(adverts(steps), [3100]);
});

test('one that comes back as MASTER and yields is a new move, whatever woke it', (t) => {
  const steps = [
    [0, BEFORE],
    [1000, seen('BACKUP', gone(onOld('MASTER')))],
    [3000, seen('MASTER', gone(onOld('MASTER')))],
    [9000, seen('MASTER', onOld('MASTER'))],
    [9020, seen('MASTER', onOld('BACKUP'))],
  ] as const;
  t.deepEqual(adverts(steps), [3100, 9020, 9120]);
});

test('nothing for an address that stayed, came at the start, or left again', (t) => {
  t.deepEqual(adverts([[0, seen('MASTER', onOld('BACKUP'))]]), [], 'it was here');
  t.deepEqual(
    adverts([
      [0, seen('BACKUP', onOld('BACKUP'))],
      [3000, seen('MASTER', onOld('BACKUP'))],
    ]),
    [],
    'nobody had it',
  );
  const left = [
    [0, BEFORE],
    [10, seen('MASTER', onOld('MASTER'))],
    [25, seen('BACKUP', onOld('MASTER'))],
  ] as const;
  t.deepEqual(adverts(left), []);
});

test('several addresses that came in one round are one act', (t) => {
  const both = (mine: CarpState, theirs: CarpState): View => {
    const two = (baseAdvskew: number, state: CarpState) => [
      address({ baseAdvskew, state }),
      address({ baseAdvskew, state, address: '2@wan', vhid: 2 }),
    ];
    return view(TAKER, [
      heard(report(TAKER, { addresses: two(100, mine) })),
      heard(report(OLD, { addresses: two(0, theirs) })),
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

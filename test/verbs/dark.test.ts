import test from 'ava';
import type { AddressReport, NodeView } from '../../agent/core/model.ts';
import { watchDark } from '../../agent/verbs/dark.ts';
import { heard } from '../core/builders.ts';
import { address, NOW, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';

const MOVING = { id: '1@wan', from: 'haproxy01', to: 'haproxy02' };

/** What is known of both nodes when the move begins, at NOW, and after it. */
function bound(
  after: {
    readonly holder: Partial<AddressReport>;
    readonly taker: Partial<AddressReport>;
    /** The holder is heard no more. */
    readonly silent?: boolean;
  },
  moving = MOVING,
) {
  const of = (node: string, change: Partial<AddressReport>): NodeView =>
    heard(report(node, { addresses: [address(change)] }));
  let view = [
    { ...of('haproxy01', { state: 'MASTER', heldAtMs: NOW - 900 }), heardAtMs: NOW - 80 },
    of('haproxy02', {}),
  ];
  const clock = new FakeClock({ nowMs: NOW });
  const times = watchDark({ clock, view: () => view }, [moving]);
  view = [
    after.silent === true ? (view[0] as NodeView) : of('haproxy01', after.holder),
    of('haproxy02', after.taker),
  ];
  return Object.fromEntries(times());
}

const MASTER = { state: 'MASTER', stateSinceMs: NOW + 240.2 } as const;

test('from the reading on which the holder named the taker to the one that shows it there', (t) => {
  const holder = { state: 'BACKUP', stateSinceMs: NOW + 230, heldAtMs: NOW + 190 } as const;
  t.deepEqual(bound({ holder, taker: MASTER }), { '1@wan': 51 });
});

test('a holder that says nothing, or is gone: from the last word of it before the move', (t) => {
  const holder = { state: 'BACKUP', heldAtMs: null } as const;
  t.deepEqual(bound({ holder, taker: MASTER }), { '1@wan': 321 });
  t.deepEqual(bound({ holder, taker: MASTER, silent: true }), { '1@wan': 321 });
});

test('MASTER on both for a while: what the holder saw after that bounds nothing', (t) => {
  const holder = { state: 'BACKUP', heldAtMs: NOW + 250 } as const;
  t.deepEqual(bound({ holder, taker: MASTER }), { '1@wan': 321 });
});

test('held by nobody when it began: from then on', (t) => {
  t.deepEqual(bound({ holder: {}, taker: MASTER }, { ...MOVING, from: '' }), { '1@wan': 241 });
});

test('one that did not arrive has none', (t) => {
  t.deepEqual(bound({ holder: { heldAtMs: NOW }, taker: { state: 'BACKUP' } }), {});
});

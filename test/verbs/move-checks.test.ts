import test from 'ava';
import type { AddressReport, NodeReport } from '../../agent/core/model.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { addressesOf } from '../../agent/verbs/addresses.ts';
import { checkTarget } from '../../agent/verbs/move-checks.ts';
import { heard } from '../core/builders.ts';
import { address, NOW, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

/** What is said to a move of 1@wan from haproxy01 to haproxy02; null: nothing against it. */
function refusal(
  held: Partial<AddressReport>,
  target: Partial<NodeReport> = {},
  there: Partial<AddressReport> = {},
) {
  const nodes = [
    heard(report('haproxy01', { addresses: [address(held)] })),
    heard(report('haproxy02', { addresses: [address({ baseAdvskew: 100, ...there })], ...target })),
  ];
  const pair = pairOf(
    ['haproxy01', 'haproxy02'].map((node) => memberOf(node)),
    { clock: new FakeClock({ wallMs: NOW }), view: () => nodes },
  );
  const [one] = addressesOf(pair, ['1']);
  if (one === undefined) throw new Error('no address');
  try {
    checkTarget(pair, one, 'haproxy02');
    return null;
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    const { code, message, cause, remediation } = error.detail;
    return { outcome: error.outcome, code, message, cause, remediation };
  }
}

test('a move to a node whose health is unknown goes on, to one that is down it does not', (t) => {
  t.is(refusal({ state: 'MASTER' }, { health: 'unknown' }), null);
  t.like(refusal({ state: 'MASTER' }, { health: 'down' }), { code: 'peer_unhealthy' });
});

test('a target whose own CARP state is unknown is no reason against it while a MASTER is known', (t) => {
  t.is(refusal({ state: 'MASTER' }, {}, { state: 'unknown' }), null);
});

test('where nobody is known to be MASTER, a node of unknown CARP state may hold it: refused', (t) => {
  t.deepEqual(refusal({ state: 'unknown' }), {
    outcome: 'failed',
    code: 'carp_unreadable',
    message: 'not moved: haproxy01 may hold 1@wan',
    cause: 'the agent on haproxy01 is newer and names a CARP state that haproxy01 does not know',
    remediation: 'upgrade proxyctl on haproxy01',
  });
  t.is(refusal({ state: 'BACKUP' }), null);
});

test('an address is called by its id, its vhid or one of its IPs, and counts once', (t) => {
  const two = [
    address({ vips: ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'] }),
    address({ address: '2@wan', vhid: 2, vips: ['fe80::1%vtnet0', '10.1.60.201'] }),
    address({ address: '2@lan', vhid: 2, vips: ['fe80::1%vtnet1'] }),
  ];
  const pair = pairOf([memberOf('haproxy01')], {
    clock: new FakeClock({ wallMs: NOW }),
    view: () => [heard(report('haproxy01', { addresses: two }))],
  });
  const ids = (...names: string[]): readonly string[] | string => {
    try {
      return addressesOf(pair, names).map(({ id }) => id);
    } catch (error) {
      return error instanceof ActFailure ? `${error.outcome}: ${error.detail.message}` : '';
    }
  };
  t.deepEqual(ids('1', '10.1.60.200', '1@wan', 'FD5E:D1C2:C9DE:60:0:0:0:200'), ['1@wan']);
  t.deepEqual(ids('10.1.60.201', '2@lan'), ['2@wan', '2@lan']);
  t.deepEqual(ids('fe80::1%vtnet1'), ['2@lan']);
  t.deepEqual(
    [ids('2'), ids('fe80::1'), ids('10.1.60.20'), ids('1@'), ids('')],
    [
      'usage: vhid 2 is on several networks',
      'usage: fe80::1 is on several networks',
      'not-found: no address is called 10.1.60.20',
      'not-found: no address is called 1@',
      'not-found: no address is called ',
    ],
  );
});

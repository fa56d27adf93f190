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
  const header = { requestId: 'r', actor: '', reason: '', acceptRisks: [], dryRun: false };
  const [one] = addressesOf(pair, ['1']);
  if (one === undefined) throw new Error('no address');
  try {
    checkTarget(pair, one, 'haproxy02', { ...header, timeoutMs: null, seen: null });
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

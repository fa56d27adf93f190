import test from 'ava';
import type { NodeStatus } from '../../agent/core/answers.ts';
import type { AppliedIntent, Intent } from '../../agent/core/model.ts';
import { statusAlerts } from '../../agent/core/alerts/status-alerts.ts';
import { address, NOW, report } from '../reports.ts';
import { intent } from './builders.ts';

const DRAIN = intent('server//WEB/web3', 'drain');
const WEIGHT = intent('weight//WEB/web3', '50%');
const { stamp } = DRAIN;

const node = (name: string, applied: readonly AppliedIntent[]): NodeStatus => ({
  node: name,
  peerClass: 'alive',
  ageMs: 100,
  report: report(name, {
    addresses: [address({ state: name === 'a' ? 'MASTER' : 'BACKUP' })],
    applied,
  }),
  problem: '',
});

const said = (wish: Intent, a: Partial<AppliedIntent>, b: Partial<AppliedIntent>): string[] => {
  const as = (more: Partial<AppliedIntent>) => [{ key: wish.key, stamp, problem: '', ...more }];
  const nodes = [node('a', as(a)), node('b', as(b))];
  return statusAlerts({ node: 'a', nodes, intents: [wish] }, [], NOW).map(
    ({ id, subject, severity, text, remedy }) => `${id} ${severity} ${subject}: ${text}; ${remedy}`,
  );
};
const GONE = { problem: 'HAProxy has no server WEB/web3', server: 'gone' } as const;
const BACK = { problem: 'WEB/web3 was gone', server: 'back' } as const;

test('a wish in force everywhere is no alert', (t) => {
  t.deepEqual(said(DRAIN, {}, {}), []);
});

test('a wish whose server is gone is one alert whatever number of nodes say so, with its end', (t) => {
  t.deepEqual(said(DRAIN, GONE, GONE), [
    'server-gone warn WEB/web3: no such server on a, b: the drain that anna asked for waits for nothing; ' +
      'proxyctl ready WEB/web3 ends it',
  ]);
  t.deepEqual(said(WEIGHT, {}, GONE), [
    'server-gone warn WEB/web3: no such server on b: the weight 50% that anna asked for waits for nothing; ' +
      'proxyctl weight WEB/web3 reset ends it',
  ]);
});

test('a name that is used again is said not to be as was wished, with both ways out', (t) => {
  t.deepEqual(said(DRAIN, BACK, GONE), [
    'server-back warn WEB/web3: was gone and is there again on a: the drain that anna asked for is not applied; ' +
      'proxyctl drain WEB/web3 applies it, proxyctl ready WEB/web3 ends it',
  ]);
});

test('what HAProxy refuses is an alert with its words', (t) => {
  t.deepEqual(said(WEIGHT, { problem: 'static LB algorithm' }, {}), [
    'wish-refused warn WEB/web3: the weight 50% that anna asked for is not in force on a: static LB algorithm; ' +
      'proxyctl weight WEB/web3 50% tries again, proxyctl weight WEB/web3 reset ends it',
  ]);
});

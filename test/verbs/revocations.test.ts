import test from 'ava';
import type { Member } from '../../agent/core/member.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { publishRevocations } from '../../agent/verbs/revocations.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const header = {
  requestId: 'r1',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};
const older = new ActFailure('conflict', { code: 'older_list', message: 'an older list' });

const publish = (
  here: Member['storeRevocations'],
  there: Member['storeRevocations'],
  dryRun = false,
) => {
  const members = [
    memberOf('haproxy01', { storeRevocations: here }),
    memberOf('haproxy02', { storeRevocations: there }),
  ];
  const pair = pairOf(members, { clock: new FakeClock() });
  return publishRevocations(pair, { header: { ...header, dryRun }, list: 'L' }, () => undefined);
};

test('a list is in force on every node, and twice is once', async (t) => {
  const asked: string[] = [];
  const changes = (list: string) => Promise.resolve(asked.push(list) > 0);
  const first = await publish(changes, changes);
  t.deepEqual([first.outcome, first.changed, asked], ['reached', true, ['L', 'L']]);
  const knows = () => Promise.resolve(false);
  const second = await publish(knows, knows);
  t.deepEqual([second.outcome, second.changed], ['reached', false]);
});

test('what this node does not take goes to no other; what another does not take is partial', async (t) => {
  const asked: string[] = [];
  const takes = (list: string) => Promise.resolve(asked.push(list) > 0);
  const refuses = () => Promise.reject(older);
  await t.throwsAsync(publish(refuses, takes), { message: 'an older list' });
  t.deepEqual(asked, []);
  const partial = await publish(takes, refuses);
  t.deepEqual(
    [partial.outcome, partial.nodes.map(({ node, ok }) => [node, ok])],
    [
      'partial',
      [
        ['haproxy01', true],
        ['haproxy02', false],
      ],
    ],
  );
  await t.throwsAsync(publish(takes, takes, true), { message: /is not tried first/ });
});

import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { checkConfig, checkHere } from '../../agent/verbs/config-check.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const MESSAGE = Buffer.from('signed');

test('every node is given the message as it is, and one that does not answer says why', async (t) => {
  const given: [string, Uint8Array][] = [];
  const pair = pairOf(
    [
      memberOf('haproxy01', {
        checkConfig: (message) => {
          given.push(['haproxy01', message]);
          return Promise.resolve({ kind: 'done', lines: ['one'] });
        },
      }),
      memberOf('haproxy02', {
        checkConfig: (message) => {
          given.push(['haproxy02', message]);
          return Promise.reject(
            new ActFailure('unreachable', { code: 'x', message: 'no answer', cause: 'why' }),
          );
        },
      }),
    ],
    { clock: new FakeClock() },
  );
  t.deepEqual(await checkConfig(pair, MESSAGE), {
    node: 'haproxy01',
    nodes: [
      { node: 'haproxy01', problem: '', answer: { kind: 'done', lines: ['one'] } },
      { node: 'haproxy02', problem: 'no answer: why', answer: null },
    ],
  });
  t.deepEqual(given, [
    ['haproxy01', MESSAGE],
    ['haproxy02', MESSAGE],
  ]);
});

test('root has the newest revocation lists before it judges a signature', async (t) => {
  const asked: string[] = [];
  const check = checkHere(
    {
      revocations: async (lists) => void asked.push(lists),
      check: async (message) => {
        asked.push(Buffer.from(message).toString());
        return { kind: 'refused', why: 'revoked' };
      },
    },
    () => 'lists',
  );
  t.deepEqual(await check(MESSAGE), { kind: 'refused', why: 'revoked' });
  t.deepEqual(asked, ['lists', 'signed']);
});

test('where root cannot take the lists nothing is judged without them', async (t) => {
  const check = checkHere(
    {
      revocations: () => Promise.reject(new Error('no room')),
      check: () => Promise.reject(new Error('judged')),
    },
    () => 'lists',
  );
  t.deepEqual(await check(MESSAGE), { kind: 'failed', why: 'no room' });
});

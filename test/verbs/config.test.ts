import test from 'ava';
import { createHash } from 'node:crypto';
import { hashedMark, NO_CONFIG, secretText } from '../../agent/core/haproxy-config/reading.ts';
import { keyedHash } from '../../agent/haproxy/config-reading.ts';
import { readConfig } from '../../agent/verbs/config.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const sha256 = (value: string): Buffer =>
  createHash('sha256').update(secretText('here', value)).digest();

/** A node whose file has these secrets, hashed with the key that it is given; `keys` has those. */
const nodeWith = (node: string, keys: string[], ...secrets: string[]) =>
  memberOf(node, {
    readConfig(key) {
      keys.push(Buffer.from(key).toString('hex'));
      const marks = secrets.map((one) => hashedMark(keyedHash(key, sha256(one))));
      const text = marks.join(' ');
      return Promise.resolve({ ...NO_CONFIG, files: [{ path: '/h.conf', text, changedAt: '' }] });
    },
  });

test('secrets are numbers that are the same on all nodes; the key is one for each question', async (t) => {
  const keys: string[] = [];
  const pair = pairOf(
    [nodeWith('haproxy01', keys, 'one', 'two'), nodeWith('haproxy02', keys, 'two', 'three')],
    { clock: new FakeClock() },
  );
  const { nodes, secrets } = await readConfig(pair, { secrets: [] });
  t.deepEqual(
    nodes.map(({ files }) => files[0]?.text),
    ['<secret-1> <secret-2>', '<secret-2> <secret-3>'],
  );
  t.deepEqual(secrets, []);
  await readConfig(pair, { secrets: [] });
  t.deepEqual(keys, [keys[0], keys[0], keys[2], keys[2]]);
  t.not(keys[0], keys[2]);
});

test('of secrets that are asked about it says which they are', async (t) => {
  const pair = pairOf([nodeWith('haproxy01', [], 'one', 'two')], { clock: new FakeClock() });
  const asked = { secrets: ['two', 'other', 'one'].map(sha256) };
  t.deepEqual((await readConfig(pair, asked)).secrets, [2, 3, 1]);
});

test('a node that does not answer says why', async (t) => {
  const broken = memberOf('haproxy02', { readConfig: () => Promise.reject(new Error('no')) });
  const pair = pairOf([nodeWith('haproxy01', [], 'one'), broken], { clock: new FakeClock() });
  const { nodes } = await readConfig(pair, { secrets: [] });
  t.deepEqual(
    nodes.map(({ node, problem, files }) => [node, problem, files.length]),
    [
      ['haproxy01', '', 1],
      ['haproxy02', 'no', 0],
    ],
  );
});

import test from 'ava';
import type { ActResult } from '../../agent/core/results.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { intent, serverReading } from '../core/builders.ts';
import { Nodes } from './nodes.ts';

/** `before>after` of each row by server and node. */
const states = ({ servers }: ActResult): string[] =>
  servers.map(({ server, node, before, after }) => `${server}@${node} ${before}>${after}`);

test('ready of a server that is gone ends every wish of it, and said twice it is already so', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  await nodes.weigh('WEB/web1', '50%');
  nodes.gone = [['web1'], ['web1']];
  const dry = await nodes.set('ready', null, { dryRun: true });
  t.is(dry.outcome, 'would-change');
  nodes.said.length = 0;
  const { outcome, changed, error } = await nodes.set('ready');
  t.deepEqual([outcome, changed, error], ['reached', true, null]);
  t.deepEqual(
    [...nodes.intents.values()].map(({ key, deleted }) => [key, deleted]),
    [
      ['server//WEB/web1', true],
      ['weight//WEB/web1', true],
    ],
  );
  t.true(
    nodes.said.some(
      ({ step, text }) =>
        step === 'warning' &&
        text === 'WEB/web1: no such server on any node; what was wished of it is forgotten',
    ),
  );
  const again = await nodes.set('ready');
  t.deepEqual([again.outcome, again.changed], ['reached', false]);
});

test('weight reset of a server that is gone ends its weight and nothing else', async (t) => {
  const nodes = new Nodes();
  await nodes.set('drain');
  await nodes.weigh('WEB/web1', '50%');
  nodes.gone = [['web1'], ['web1']];
  const { outcome } = await nodes.weigh('WEB/web1', null);
  t.is(outcome, 'reached');
  t.deepEqual(
    [...nodes.intents.values()].map(({ key, deleted }) => [key, deleted]),
    [
      ['server//WEB/web1', false],
      ['weight//WEB/web1', true],
    ],
  );
});

test('a name of which nothing was ever wished is unknown all the same', async (t) => {
  const nodes = new Nodes();
  const names = ['WEB/web9', 'OLD/web1', 'OLD'];
  const codes = await Promise.all(
    names.map(async (name) => {
      const ready = nodes.set('ready', null, {}, [name]);
      return (await t.throwsAsync(ready, { instanceOf: ActFailure })).detail.code;
    }),
  );
  t.deepEqual(codes, ['no_such_server', 'no_such_backend', 'no_such_backend']);
});

test('ready of a backend goes on with the rest where a server is gone, here or on one node', async (t) => {
  const nodes = new Nodes();
  nodes.backups.push(serverReading({ name: 'web3' }));
  await nodes.set('drain', null, {}, ['WEB/web1', 'WEB/web2']);
  nodes.gone = [['web1'], ['web1', 'web2']];
  const done = await nodes.set('ready', null, {}, ['WEB']);
  t.deepEqual([done.outcome, done.error], ['reached', null]);
  t.deepEqual(states(done).slice(0, 2), ['web2@a drain>ready', 'web2@b >']);
  t.deepEqual(
    [...nodes.intents.values()].map(({ deleted }) => deleted),
    [true, true],
  );
  const strict = nodes.set('drain', null, {}, ['WEB/web2']);
  const { message } = await t.throwsAsync(strict, { instanceOf: ActFailure });
  t.is(message, 'no server WEB/web2 on b');
});

test('ready of a backend that is gone ends what was wished in it', async (t) => {
  const nodes = new Nodes();
  nodes.intents = new Map([['server//OLD/web1', intent('server//OLD/web1', 'maint')]]);
  const { outcome } = await nodes.set('ready', null, {}, ['OLD']);
  t.is(outcome, 'reached');
  t.is(nodes.intents.get('server//OLD/web1')?.deleted, true);
});

test("the peer's HAProxy cannot be asked: done on the other at once, partial, and stored on both", async (t) => {
  const nodes = new Nodes();
  nodes.silent = 1;
  const startedMs = nodes.clock.nowMs();
  for (const [state, wait] of [
    ['drain', 'leave'],
    ['maint', null],
    ['ready', null],
  ] as const) {
    const done = await nodes.set(state, wait);
    t.deepEqual(
      [done.outcome, done.changed, done.nodes.map(({ node, ok }) => [node, ok])],
      [
        'partial',
        true,
        [
          ['a', true],
          ['b', false],
        ],
      ],
      state,
    );
    t.is(done.error?.message, 'b is silent');
    t.regex(done.error?.remediation ?? '', /^on b: service haproxy status; it catches up/);
    t.deepEqual(states(done).at(-1)?.split('>')[1], state);
  }
  const weighed = await nodes.weigh('WEB/web1', '7');
  t.deepEqual([weighed.outcome, weighed.error?.code], ['partial', 'failed']);
  t.true(nodes.clock.nowMs() - startedMs < 3000, 'nobody waits for it');
  // Where none can be asked nothing is promised.
  nodes.deaf = true;
  const nothing = nodes.set('drain');
  t.is((await t.throwsAsync(nothing, { instanceOf: ActFailure })).outcome, 'failed');
});

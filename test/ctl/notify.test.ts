import test from 'ava';
import type { NotifyTested, TestedTarget } from '../../agent/core/notify/notify.ts';
import { desk, envelope, overTls } from './command.ts';

const target = (name: string, problem = ''): TestedTarget => ({ name, problem, tookMs: 12 });
const answerOf = (...targets: (readonly TestedTarget[] | string)[]): NotifyTested => ({
  node: 'haproxy01',
  nodes: targets.map((one, at) => ({
    node: `haproxy0${at + 1}`,
    problem: typeof one === 'string' ? one : '',
    targets: typeof one === 'string' ? [] : one,
  })),
});

test('each target of each node with what came of it: 0 all, 6 some, 1 none', async (t) => {
  const asked: string[] = [];
  const answers = [
    answerOf([target('ops'), target('chat')], [target('ops')]),
    answerOf([target('ops', 'sendmail: exit 75'), target('chat')], 'the agent does not answer'),
    answerOf([target('ops', 'sendmail: exit 75')], []),
  ];
  const { run } = await desk(t, {
    testNotify: (name) => {
      asked.push(name);
      return Promise.resolve(answers[Math.min(asked.length, 3) - 1] ?? answerOf());
    },
  });
  const all = await run(['notify', 'test']);
  t.deepEqual(
    [all.code, all.stdout],
    [
      0,
      'arrived   haproxy01: ops, 12 ms\narrived   haproxy01: chat, 12 ms\narrived   haproxy02: ops, 12 ms\n',
    ],
  );
  const some = await run(['notify', 'test', 'ops']);
  t.deepEqual(
    [some.code, some.stdout],
    [
      6,
      'failed    haproxy01: ops: sendmail: exit 75\narrived   haproxy01: chat, 12 ms\n' +
        'missing   haproxy02: the agent does not answer\n',
    ],
  );
  const none = await run(['notify', 'test', '-o', 'json']);
  t.is(none.code, 1);
  t.like(envelope(none.stdout), {
    verb: 'notify test',
    ok: false,
    result: {
      nodes: [
        {
          node: 'haproxy01',
          targets: [{ name: 'ops', arrived: false, problem: 'sendmail: exit 75' }],
        },
        { node: 'haproxy02', targets: [] },
      ],
    },
    nodes: [
      { node: 'haproxy01', ok: false, error: { code: 'notify_failed' } },
      { node: 'haproxy02', ok: true },
    ],
  });
  t.deepEqual(asked, ['', 'ops', '']);
});

test('a viewer may not have anybody told', async (t) => {
  const { run } = await desk(
    t,
    { testNotify: () => Promise.reject(new Error('asked')) },
    overTls('viewer'),
  );
  t.is((await run(['notify', 'test'])).code, 4);
});

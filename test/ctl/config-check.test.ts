import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ConfigChecked, NodeCheck } from '../../agent/core/deploy/checked.ts';
import type { DeployAnswer } from '../../agent/core/deploy/deployments.ts';
import { unverified } from '../../agent/core/deploy/read.ts';
import { desk, envelope, overTls, unbroken } from './command.ts';
import { statusOf } from './statuses.ts';

const TAKEN: DeployAnswer = { kind: 'done', lines: [] };
const UNSOUND: DeployAnswer = {
  kind: 'unsound',
  why: 'exit 1',
  lines: ["[ALERT] (4711) : config : parsing [haproxy.conf:3] : unknown keyword 'foo'"],
};
const REFUSED: DeployAnswer = {
  kind: 'refused',
  why: 'root does not allow it: deploy = true in [haproxy] of agent.toml, and a restart of the agent',
};

const node = (at: number, answer: DeployAnswer | null, problem = ''): NodeCheck => ({
  node: `haproxy0${at}`,
  problem,
  answer,
});
const silent = node(2, null, 'the agent on haproxy02 does not answer');

/** Nodes that answer so, one question after the other; and what was asked of them. */
function checking(...answers: readonly (readonly NodeCheck[])[]) {
  const messages: Uint8Array[] = [];
  return {
    messages,
    status: () => Promise.resolve(statusOf()),
    checkConfig: (message: Uint8Array): Promise<ConfigChecked> => {
      messages.push(message);
      return Promise.resolve({ node: 'haproxy01', nodes: answers[messages.length - 1] ?? [] });
    },
  };
}

test('both answers with the lines of HAProxy: 0 all take it, 1 one does not, 6 one is away', async (t) => {
  const control = checking(
    [node(1, TAKEN), node(2, { kind: 'done', lines: ['[NOTICE] one warning'] })],
    [node(1, TAKEN), node(2, UNSOUND)],
    [node(1, REFUSED), silent],
    [node(1, TAKEN), silent],
    [node(1, { kind: 'unknown', why: 'no answer in 45 s' }), node(2, TAKEN)],
  );
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  const said: [number | null, string][] = [];
  for (let at = 0; at < 5; at++) {
    const { code, stdout, stderr } = await run(['config', 'check', file]);
    said.push([code, unbroken(stdout)]);
    t.is(stderr, '');
  }
  t.deepEqual(said, [
    [0, 'taken     haproxy01\ntaken     haproxy02 [NOTICE] one warning\n'],
    [
      1,
      'taken     haproxy01\nunsound   haproxy02: exit 1 ' +
        "[ALERT] (4711) : config : parsing [haproxy.conf:3] : unknown keyword 'foo'\n",
    ],
    [
      1,
      'refused   haproxy01: root does not allow it: deploy = true in [haproxy] of agent.toml, and a ' +
        'restart of the agent\nmissing   haproxy02: the agent on haproxy02 does not answer\n',
    ],
    [6, 'taken     haproxy01\nmissing   haproxy02: the agent on haproxy02 does not answer\n'],
    [6, 'unknown   haproxy01: no answer in 45 s\ntaken     haproxy02\n'],
  ]);
});

test('what is sent is signed for a check alone, for the nodes of this pair, and for minutes', async (t) => {
  const control = checking([node(1, TAKEN), node(2, TAKEN)]);
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n\tmaxconn 7\n');
  t.is((await run(['config', 'check', file])).code, 0);
  const [message = new Uint8Array()] = control.messages;
  const { madeS, untilS, number, ...rest } = unverified(message);
  t.deepEqual(rest, {
    purpose: 'check',
    pair: statusOf().pair,
    nodes: ['haproxy01', 'haproxy02'],
    form: 'file',
    reason: '',
    files: [{ path: 'haproxy.conf', content: Buffer.from('global\n\tmaxconn 7\n') }],
  });
  t.is(untilS - madeS, 900);
  t.true(number > 1_000_000_000_000);
});

test('JSON has the verdict and the lines of each node, and an error in the row of one', async (t) => {
  const control = checking([node(1, UNSOUND), silent], [node(1, TAKEN), silent]);
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  const refused = await run(['config', 'check', file, '-o', 'json']);
  t.is(refused.code, 1);
  t.deepEqual(envelope(refused.stdout), {
    schema: 'proxyctl/v1',
    verb: 'config check',
    ok: false,
    changed: false,
    request_id: 'ID',
    answered_by: 'haproxy01',
    took_ms: 'N',
    result: {
      nodes: [
        { node: 'haproxy01', verdict: 'unsound', why: 'exit 1', lines: UNSOUND.lines },
        {
          node: 'haproxy02',
          verdict: null,
          why: 'the agent on haproxy02 does not answer',
          lines: [],
        },
      ],
    },
    nodes: [
      {
        node: 'haproxy01',
        ok: false,
        changed: false,
        error: {
          code: 'config_unsound',
          message: 'exit 1',
          cause: '',
          remediation: 'mend what the lines name, or what they miss on the host',
          retryable: false,
        },
      },
      {
        node: 'haproxy02',
        ok: false,
        changed: false,
        error: {
          code: 'agent_unreachable',
          message: 'the agent on haproxy02 does not answer',
          cause: '',
          remediation: 'on haproxy02: service proxyagent status',
          retryable: true,
        },
      },
    ],
  });
  const away = await run(['config', 'check', file, '-o', 'json']);
  t.is(away.code, 6);
  t.like(envelope(away.stdout), { ok: false, incomplete: ['nodes'] });
});

test('without a key to sign with, without a file, and without the role: nobody is asked', async (t) => {
  const control = checking();
  const socket = await desk(t, control);
  const file = join(socket.world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  const keyless = await socket.run(['config', 'check', file]);
  t.deepEqual(
    [keyless.code, unbroken(keyless.stderr)],
    [
      2,
      'proxyctl: context web has no key to sign with\n' +
        '  cause   root on each host takes only what an admin has signed; a unix socket signs nothing\n' +
        '  do      use one with agents, cert and key of an admin: proxyctl context list\n',
    ],
  );
  const viewer = await desk(t, control, overTls('viewer'));
  t.is((await viewer.run(['config', 'check', file])).code, 4);
  const admin = await desk(t, control, overTls('admin'));
  t.is((await admin.run(['config', 'check', `${file}.not`])).code, 2);
  writeFileSync(file, '');
  const empty = await admin.run(['config', 'check', file]);
  t.is(empty.code, 2);
  t.regex(unbroken(empty.stderr), /haproxy\.conf is empty/);
  t.deepEqual(control.messages, []);
});

test('four million bytes reach the agent in one piece', async (t) => {
  const control = checking([node(1, TAKEN), node(2, TAKEN)]);
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, '#'.repeat(4_000_000));
  t.is((await run(['config', 'check', file])).code, 0);
  t.is(unverified(control.messages[0] ?? new Uint8Array()).files[0]?.content.length, 4_000_000);
});

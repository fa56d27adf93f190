import test from 'ava';
import { ActFailure, type ActResult, type Outcome } from '../../agent/core/results.ts';
import type { PushAct } from '../../agent/core/acts.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, overTls, steady } from './command.ts';
import { intentOf, statusOf } from './statuses.ts';

const moved: ActResult = {
  ...emptyResult,
  nodes: [
    { node: 'haproxy01', ok: true, changed: true, error: null },
    { node: 'haproxy02', ok: true, changed: true, error: null },
  ],
  addresses: [
    {
      address: '1@wan',
      vhid: 1,
      vips: ['10.1.60.200'],
      from: 'haproxy01',
      to: 'haproxy02',
      outcome: 'moved',
      darkMsMax: 6,
      sessions: 3,
      pin: intentOf({ key: 'pin/1@wan', value: 'haproxy02' }),
    },
  ],
};

test('a move: progress on standard error, the table on standard output', async (t) => {
  const { run, server, world } = await desk(t, {
    move: (act, report) => {
      server.heard.add({ kind: 'act', act });
      report({ step: 'checking', text: 'haproxy02 serves all 11 backends', tookMs: 9 });
      report({ step: 'moving', text: 'haproxy01 advskew 254, haproxy02 MASTER', tookMs: 14 });
      return Promise.resolve(moved);
    },
  });
  const argv = ['failover', '--vhid', '1', '--to', 'haproxy02', '--reason', 'kernel\n update'];
  const ended = steady(await run([...argv, '--until', '2h', '--accept-risk=stale-view']), world);
  t.deepEqual(
    {
      ...ended,
      stdout: ended.stdout.replace(/\S+, "kernel/, 'ME, "kernel'),
      stderr: ended.stderr.replace(/(?<=until )(DATE|\d\d:\d\d)/, 'TIME'),
    },
    {
      code: 0,
      stdout: `ADDRESS  FROM       TO         RESULT  DARK AT MOST  CAUSE
1@wan    haproxy01  haproxy02  moved           6 ms  ME, "kernel update"
`,
      stderr: `checking   haproxy02 serves all 11 backends                                 9 ms
moving     haproxy01 advskew 254, haproxy02 MASTER                         14 ms
Stays there until TIME or \`proxyctl failback\`.
`,
    },
  );
  const heard = await server.heard.until(({ kind }) => kind === 'act');
  t.like(heard, {
    act: {
      header: { reason: 'kernel update', acceptRisks: ['stale-view'], dryRun: false },
      addresses: ['1'],
      to: 'haproxy02',
      toggle: false,
      unpin: false,
      untilMs: 7_200_000,
    },
  });
});

test('a verb carries the stamp of the status that its caller read', async (t) => {
  const { run, server } = await desk(t, {
    status: () => Promise.resolve(statusOf()),
    setAutomation: (act) => {
      server.heard.add({ kind: 'act', act });
      return Promise.resolve(emptyResult);
    },
  });
  const { stdout } = await run(['status', '-o', 'json']);
  const { seen } = (JSON.parse(stdout) as { result: { seen: string } }).result;
  t.is((await run(['pause', '--seen', seen])).code, 0);
  const heard = await server.heard.until(({ kind }) => kind === 'act');
  t.like(heard, {
    act: { header: { seen: { wallMs: 1_790_000_000_000, count: 2, node: 'haproxy01' } } },
  });
  t.deepEqual(await run(['pause', '--seen', 'yesterday']), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: option '--seen <STAMP>' argument 'yesterday' is invalid. Give \`seen\`
          as status -o json has it.
  do      proxyctl pause --help
`,
  });
});

const EXITS: readonly (readonly [Outcome, number])[] = [
  ['reached', 0],
  ['failed', 1],
  ['usage', 2],
  ['would-change', 3],
  ['not-authorised', 4],
  ['unsafe', 5],
  ['partial', 6],
  ['result-unknown', 7],
  ['not-found', 8],
  ['conflict', 9],
  ['unreachable', 10],
  ['timeout', 124],
];

test('every outcome has its exit code, as a result and as a failure', async (t) => {
  let outcome: Outcome = 'reached';
  const error = { code: 'x', message: 'it is so', cause: '', remediation: '', retryable: false };
  const { run } = await desk(t, {
    move: () => Promise.resolve({ ...moved, outcome, error: outcome === 'reached' ? null : error }),
    setServers: () => Promise.reject(new ActFailure(outcome, error)),
  });
  for (const [word, code] of EXITS) {
    outcome = word;
    const [result, thrown] = [await run(['failback']), await run(['ready', 'WEB'])];
    t.deepEqual([word, result.code, thrown.code], [word, code, code]);
  }
});

test('a refusal says what, why and what to do, and prints nothing on standard output', async (t) => {
  const { run } = await desk(t, {
    move: () =>
      Promise.reject(
        new ActFailure('unsafe', {
          code: 'peer_unhealthy',
          message: 'not moved: haproxy02 cannot serve 1@wan',
          cause: 'backend GITEA is up on haproxy01 and down on haproxy02',
          remediation: 'proxyctl status, or accept it: --accept-risk=peer-unhealthy',
        }),
      ),
  });
  t.deepEqual(await run(['failover']), {
    code: 5,
    stdout: '',
    stderr: `proxyctl: not moved: haproxy02 cannot serve 1@wan
  cause   backend GITEA is up on haproxy01 and down on haproxy02
  do      proxyctl status, or accept it: --accept-risk=peer-unhealthy
`,
  });
});

test('done on one node only is 6 and names the other', async (t) => {
  const away = {
    code: 'agent_unreachable',
    message: 'the agent on haproxy02 does not answer',
    cause: 'connection refused',
    remediation: '',
    retryable: true,
  };
  const { run } = await desk(t, {
    setServers: () =>
      Promise.resolve({
        ...emptyResult,
        outcome: 'partial',
        nodes: [
          { node: 'haproxy01', ok: true, changed: true, error: null },
          { node: 'haproxy02', ok: false, changed: false, error: away },
        ],
        servers: [
          {
            instance: '',
            backend: 'WEB',
            server: 'web1',
            node: 'haproxy01',
            before: 'ready',
            after: 'drain',
            sessions: 3,
          },
        ],
      }),
  });
  t.deepEqual(await run(['drain', 'WEB/web1']), {
    code: 6,
    stdout: `SERVER    NODE       BEFORE  NOW    SESSIONS
WEB/web1  haproxy01  ready   drain         3
`,
    stderr: `proxyctl: the agent on haproxy02 does not answer
  cause   connection refused
proxyctl: done on some nodes only; the others catch up when they are back
`,
  });
});

test('a viewer may look and not touch: 4', async (t) => {
  const { run, world } = await desk(t, {}, overTls('viewer'));
  const status = await run(['status']);
  const drain = steady(await run(['drain', 'WEB/web1']), world);
  t.is(status.code, 0);
  t.deepEqual(drain, {
    code: 4,
    stdout: '',
    stderr: `proxyctl: servers needs the role operator; anna has viewer
  do      proxyctl pki issue operator NAME --role operator, by who keeps the CA
`,
  });
});

test('a pushed file arrives byte for byte, from a path and from standard input', async (t) => {
  const pushes: PushAct['bundles'][] = [];
  const pushed = (act: PushAct) => {
    pushes.push(act.bundles);
    return Promise.resolve(emptyResult);
  };
  const { run } = await desk(t, { pushCertificate: pushed }, overTls('admin'));
  const pem = `${'certificate and key\n'.repeat(5000)}\u00e9\n`;
  const ended = await run(['cert', 'push', '-', '--as', '/x.pem'], { stdin: pem });
  t.deepEqual(ended, { code: 0, stdout: '', stderr: '' });
  t.deepEqual(pushes, [[{ path: '/x.pem', pem }]]);
});

test('an unexpected error in the agent is one sentence, never a stack', async (t) => {
  const { run } = await desk(t, {
    status: () => Promise.reject(new TypeError('x is not a function\n    at y (z.js:1:1)')),
    move: () => Promise.reject(new TypeError('x is not a function\n    at y (z.js:1:1)')),
  });
  const said = {
    code: 1,
    stdout: '',
    stderr: `proxyctl: status: x is not a function
  do      the agent's log has the details
`,
  };
  t.deepEqual(await run(['status']), said);
  t.deepEqual(await run(['failover']), {
    ...said,
    stderr: said.stderr.replace('status', 'move'),
  });
});

test('no colour and no control characters, whatever the terminal claims', async (t) => {
  const { run } = await desk(t, { move: () => Promise.resolve(moved) });
  const env = { FORCE_COLOR: '1', CLICOLOR_FORCE: '1', TERM: 'xterm-256color' };
  for (const argv of [['failover'], ['--help'], ['failover', '--help'], ['nonsense']]) {
    const { stdout, stderr } = await run(argv, { env });
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    t.notRegex(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

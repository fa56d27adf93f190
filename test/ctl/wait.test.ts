import test from 'ava';
import type { Certificates, ServersAnswer, Status } from '../../agent/core/answers.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { conditionOf } from '../../ctl/wait/conditions.ts';
import { serverReading } from '../core/builders.ts';
import { desk, envelope, steady } from './command.ts';
import { addressOf, backup, intentOf, nodeOf, statusOf } from './statuses.ts';

const missing = (text: string, status: Status): string[] =>
  conditionOf(text).missing({ status, servers: null, certificates: null });
const refusal = (act: () => unknown): string => {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return error instanceof ActFailure
      ? `${error.outcome}: ${error.detail.message}`
      : String(error);
  }
};
const away = nodeOf('haproxy02', { addresses: [backup()] }, { problem: 'silent for 3 s' });

test('an owner is one node that alone is MASTER, of every address or of the named one', (t) => {
  const well = statusOf();
  const called = ['haproxy01', 'haproxy01,1@wan', 'haproxy01,1', 'haproxy01,10.1.60.200'];
  for (const one of [...called, 'haproxy01,FD5E:d1c2:c9de:60:0::200'])
    t.deepEqual(missing(`owner=${one}`, well), [], one);
  t.deepEqual(missing('owner=haproxy02', well), ['1@wan is on haproxy01']);
  const both = statusOf({
    nodes: [nodeOf('haproxy01'), nodeOf('haproxy02', { addresses: [addressOf()] })],
  });
  t.deepEqual(missing('owner=haproxy01', both), ['1@wan is on haproxy01 and haproxy02']);
  const none = statusOf({ nodes: [nodeOf('haproxy01', { addresses: [backup()] }), away] });
  t.deepEqual(missing('owner=haproxy01', none), ["1@wan is nobody's"]);
  t.deepEqual(
    ['owner=haproxy03', 'owner=haproxy01,2', 'owner=haproxy01,10.1.60.2'].map((one) =>
      refusal(() => missing(one, well)),
    ),
    [
      'not-found: there is no node haproxy03',
      'not-found: no address is called 2',
      'not-found: no address is called 10.1.60.2',
    ],
  );
});

test('serving is every node, or the named one, heard and well', (t) => {
  t.deepEqual(missing('serving', statusOf()), []);
  const ill = statusOf({ nodes: [nodeOf('haproxy01', { health: 'degraded' }), away] });
  t.deepEqual(missing('serving', ill), ['haproxy01 is degraded', 'haproxy02 is not heard']);
  t.deepEqual(missing('serving=haproxy01', ill), ['haproxy01 is degraded']);
});

test('converged is everybody heard, addresses with their owners, wishes in force', (t) => {
  t.deepEqual(missing('converged', statusOf()), []);
  const wish = intentOf();
  const [first] = statusOf().verdicts;
  if (first === undefined) throw new Error('no verdict');
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01', { applied: [{ key: wish.key, stamp: wish.stamp, problem: '' }] }),
      nodeOf('haproxy02', { addresses: [backup()] }),
      nodeOf('haproxy03', {}, { problem: 'silent' }),
    ],
    verdicts: [{ ...first, owner: 'haproxy02' }],
    intents: [wish],
  });
  t.deepEqual(missing('converged', status), [
    'haproxy03 is not heard',
    '1@wan is on haproxy01, and belongs to haproxy02',
    'server WEB/web1 is not in force on haproxy02 yet',
  ]);
});

test('converged is nothing while CARP is off or its adverts are lost, or a word taken back is not done', (t) => {
  const over = intentOf({ deleted: true, value: '' });
  const applied = [{ key: over.key, stamp: over.stamp, problem: 'no answer' }];
  const lost = { ...backup(), advertsLost: true };
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01', { applied }),
      nodeOf('haproxy02', { fenced: true, addresses: [lost], applied: [] }),
    ],
    intents: [over],
  });
  t.deepEqual(missing('converged', status), [
    'haproxy02 is fenced',
    'adverts of 1@wan are lost on haproxy02',
    'server WEB/web1 on haproxy01: no answer',
  ]);
});

test('drained is out of service on every node, and without a session', (t) => {
  const web1 = serverReading({ admin: 'drain', sessions: 2, queued: 0, older: 0, uncounted: 0 });
  const judge = (text: string, ...nodes: ServersAnswer['nodes']): string[] =>
    conditionOf(text).missing({
      status: null,
      certificates: null,
      servers: { node: 'haproxy01', intents: [], nodes },
    });
  const name = `${web1.backend}/${web1.name}`;
  const on = (node: string, more: Partial<typeof web1>) => ({
    node,
    problem: '',
    servers: [{ ...web1, ...more }],
  });
  t.deepEqual(judge(`drained=${name}`, on('haproxy01', {}), on('haproxy02', { admin: 'ready' })), [
    `${name} on haproxy01 has 2 sessions`,
    `${name} on haproxy02 is ready`,
  ]);
  t.deepEqual(judge(`drained=${web1.backend}`, on('haproxy01', { sessions: 0 })), []);
  t.deepEqual(
    judge(`drained=${name}`, on('haproxy01', { sessions: 0, uncounted: 1 }), {
      node: 'haproxy02',
      problem: 'no answer',
      servers: [],
    }),
    [
      `${name} on haproxy01: 1 older processes cannot be asked`,
      'haproxy02 does not say: no answer',
    ],
  );
  t.is(
    refusal(() => judge('drained=NONE/x', on('haproxy01', {}))),
    'not-found: HAProxy has no server NONE/x',
  );
});

test('a version is one certificate everywhere: memory, disk, clients, decision and nodes', (t) => {
  const one = {
    name: 'www.pem',
    path: 'www.pem',
    memory: 'aa11',
    disk: 'aa11',
    served: 'aa11',
    sha256: null,
    notAfter: '2020-01-01T00:00:00Z',
    names: [],
    problem: '',
    previous: null,
    renewal: '',
  };
  const judge = (text: string, ...memory: (string | null)[]): string[] => {
    const nodes: Certificates['nodes'] = memory.map((memory, at) => ({
      node: `haproxy0${at + 1}`,
      problem: '',
      certificates: [{ ...one, memory, disk: memory, served: memory }],
    }));
    const certificates = { node: 'haproxy01', nodes, intents: [] };
    return conditionOf(text).missing({ status: null, servers: null, certificates });
  };
  // What has ended is a version all the same.
  t.deepEqual(judge('version=www.pem', 'aa11', 'aa11'), []);
  t.deepEqual(judge('version=www.pem@AA:11', 'aa11', 'aa11'), []);
  t.deepEqual(judge('version=www.pem@bb22', 'aa11', 'aa11'), [
    'haproxy01 has aa11',
    'haproxy02 has aa11',
  ]);
  t.deepEqual(judge('version=www.pem', 'aa11', 'bb22'), [
    'haproxy01: it has aa11, haproxy02 another one',
    'haproxy02: it has bb22, haproxy01 another one',
  ]);
  t.is(
    refusal(() => judge('version=w.pem', 'aa11')),
    'not-found: no node has a certificate w.pem',
  );
});

test('what is nothing to wait for is a usage failure with the forms', (t) => {
  for (const text of ['owner', 'owner=', 'drained', 'converged=1', 'version', 'x', ''])
    t.regex(
      refusal(() => conditionOf(text)),
      /^usage: .* is nothing to wait for$/,
      text,
    );
});

test('wait returns at the first look that holds, and its JSON says how long that was', async (t) => {
  let looks = 0;
  const { run } = await desk(t, {
    status: () => {
      looks += 1;
      const health = looks > 1 ? 'serving' : 'down';
      return Promise.resolve(statusOf({ nodes: [nodeOf('haproxy01', { health })] }));
    },
  });
  const { code, stdout } = await run(['wait', '--for=serving', '--for', 'converged']);
  t.deepEqual([code, looks], [0, 2]);
  t.regex(stdout, /^serving, converged: so, after \d+\.\d s\n$/);
  const told = envelope((await run(['wait', '--for=serving', '--json'])).stdout);
  t.like(told, { verb: 'wait', ok: true, changed: false, result: { conditions: ['serving'] } });
});

test('wait ends with 124 and what is missing; with 8 for what can never be, with 2 without --for', async (t) => {
  const { run, world } = await desk(t, {
    status: () => Promise.resolve(statusOf()),
  });
  t.deepEqual(steady(await run(['wait', '--for=owner=haproxy02', '--timeout', '1s']), world), {
    code: 124,
    stdout: '',
    stderr: `proxyctl: not so after 1 s
  cause   1@wan is on haproxy01
  do      wait longer with --timeout; proxyctl status and proxyctl explain say what holds it
`,
  });
  t.is((await run(['wait', '--for=owner=haproxy03'])).code, 8);
  t.is((await run(['wait'])).code, 2);
  t.is((await run(['wait', '--for=serving=x', '--for=nonsense'])).code, 2);
});

test('an agent that answers nothing does not keep wait beyond its time', async (t) => {
  const { run } = await desk(t, { status: () => new Promise(() => undefined) });
  t.is((await run(['wait', '--for=serving', '--timeout', '1s'])).code, 124);
});

test('status --watch prints an envelope a line until it is ended', async (t) => {
  const { start } = await desk(t, { status: () => Promise.resolve(statusOf()) });
  const child = start(['status', '--watch', '-o', 'json']);
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.split('\n').length > 2) break;
  }
  child.kill('SIGKILL');
  const [one, two] = text.split('\n').map((line) => line && (JSON.parse(line) as object));
  t.like(one, { verb: 'status', ok: true });
  t.like(two, { verb: 'status', ok: true });
});

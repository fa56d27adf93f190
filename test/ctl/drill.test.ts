import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { DrillAct, DrillSeenAct } from '../../agent/core/drill.ts';
import { drillKey } from '../../agent/core/drill.ts';
import type { ActResult } from '../../agent/core/results.ts';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { gapsIn } from '../../ctl/drill/gaps.ts';
import { knock, targetOf } from '../../ctl/drill/knock.ts';
import { freePort } from '../free-port.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, envelope } from './command.ts';
import { eventually } from '../record.ts';
import { intentOf, statusOf } from './statuses.ts';

const MOVED = {
  address: '1@wan',
  vhid: 1,
  vips: ['127.0.0.1'],
  from: 'haproxy01',
  to: 'haproxy02',
  outcome: 'moved' as const,
  darkMsMax: 12,
  sessions: 3,
  pin: null,
};

/** A listener that answers every connection with `text`. */
async function serving(t: ExecutionContext, text = ''): Promise<{ server: Server; at: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(text);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const bound = server.address();
  return { server, at: `127.0.0.1:${typeof bound === 'object' ? (bound?.port ?? 0) : 0}` };
}

/** An agent that rehearses: what it is told of clients, and what `during` makes of it. */
function rehearsing(
  at: string,
  during: (act: DrillAct) => Promise<Partial<ActResult>> | Partial<ActResult>,
) {
  const told: DrillSeenAct[] = [];
  const acts: DrillAct[] = [];
  let heard = (_one: DrillSeenAct): void => undefined;
  const history = {
    address: '1@wan',
    from: 'haproxy01',
    cause: 'agent' as const,
    reason: 'a drill',
  };
  let moves = 0;
  const control: Partial<ControlVerbs> = {
    status: () => Promise.resolve(statusOf()),
    history: () =>
      Promise.resolve({
        node: 'haproxy01',
        changes: Array.from({ length: moves }, (_, atWallMs) => ({
          ...history,
          to: 'haproxy02',
          atWallMs,
        })),
        missing: [],
      }),
    drill: async (act, report) => {
      acts.push(act);
      const plan = { node: 'haproxy01', means: null, probes: [at] };
      const base = {
        ...emptyResult,
        requestId: act.header.requestId,
        node: 'haproxy01',
        drill: plan,
      };
      if (act.header.dryRun)
        return {
          ...base,
          outcome: 'would-change',
          addresses: [{ ...MOVED, outcome: 'would-move', darkMsMax: null }],
        };
      moves = 2;
      const seen = new Promise<DrillSeenAct>((resolve) => (heard = resolve));
      const done = await during(act);
      report({ step: 'restored', text: 'everything is as it was before', tookMs: 1 });
      if (!told.some(({ stop }) => stop)) await seen;
      return { ...base, outcome: 'reached', addresses: [MOVED], ...done };
    },
    drillSeen: (act) => {
      told.push(act);
      heard(act);
      return Promise.resolve({ ...emptyResult, outcome: 'reached' });
    },
  };
  return { control, told, acts };
}

test('a drill that passes: 0, one line of JSON with what this machine saw, and the same in a file', async (t) => {
  const { at } = await serving(t);
  const { control, told, acts } = rehearsing(at, () => ({}));
  const { run, world } = await desk(t, control);
  const file = join(world.folder, 'drill.json');
  const { code, stdout, stderr } = await run(
    [
      'drill',
      'failover',
      '--yes',
      '--for',
      '1s',
      '--max-outage',
      '300ms',
      '--reason',
      'monthly',
    ].concat(['-o', 'json', '--report', file, '--request-id', 'r']),
  );
  t.deepEqual([code, stderr], [0, '']);
  t.is(readFileSync(file, 'utf8'), stdout);
  const { result } = envelope(stdout) as { result: Record<string, unknown> };
  t.like(result, {
    kind: 'failover',
    node: 'haproxy01',
    state: 'passed',
    stay_ms: 1000,
    max_outage_ms: 300,
  });
  t.like(result['clients'], { targets: [at], interval_ms: 20, lost: 0, dark_ms_max: 0, gaps: [] });
  t.is((result['history'] as unknown[]).length, 2);
  t.like(result['addresses'], [{ address: '1@wan', dark_ms_max: 12, outcome: 'moved' }]);
  t.deepEqual(
    acts.map(({ header, kind, stayMs, maxOutageMs }) => [
      header.dryRun,
      header.reason,
      kind,
      stayMs,
      maxOutageMs,
    ]),
    [
      [true, 'monthly', 'failover', 1000, 300],
      [false, 'monthly', 'failover', 1000, 300],
    ],
  );
  t.deepEqual(
    told.map(({ drill, stop, lost, darkMs }) => [drill, stop, lost, darkMs]),
    [['r', false, 0, 0]],
  );
});

test('where clients wait longer than the bound the agent is told at once, and it is 1', async (t) => {
  const { server, at } = await serving(t);
  const { control, told } = rehearsing(at, async () => {
    server.close();
    await eventually(() => told.some(({ stop }) => stop));
    return {
      outcome: 'failed',
      error: {
        code: 'stopped',
        message: told[0]?.why ?? '',
        cause: '',
        remediation: '',
        retryable: false,
      },
    };
  });
  const { run } = await desk(t, control);
  const { code, stdout, stderr } = await run([
    'drill',
    'failover',
    '--yes',
    '--max-outage',
    '200ms',
  ]);
  t.is(code, 1);
  t.regex(told[0]?.why ?? '', /^clients have waited 2\d\d ms, more than 200 ms$/);
  t.regex(stdout, /^drill {5}failover on haproxy01: failed\nclients {3}waited \d+ ms at most/);
  t.regex(stderr, /clients have waited/);
});

test('--abort-on lost ends it at the first connection that is not answered', async (t) => {
  const { server, at } = await serving(t);
  const { control, told } = rehearsing(at, async () => {
    server.close();
    await eventually(() => told.some(({ stop }) => stop));
    return { outcome: 'failed' };
  });
  const { run } = await desk(t, control);
  const { code } = await run([
    'drill',
    'failover',
    '--yes',
    '--max-outage',
    '10m',
    '--abort-on',
    'lost',
  ]);
  t.deepEqual([code, told[0]?.why], [1, 'a client was not answered']);
});

test('--abort-on alert ends it at an alert of severity fail', async (t) => {
  const { at } = await serving(t);
  const { control, told } = rehearsing(at, async () => {
    await eventually(() => told.some(({ stop }) => stop));
    return { outcome: 'failed' };
  });
  const alert = { id: 'no-master', node: 'haproxy01', subject: '1@wan', remedy: '', sinceMs: null };
  const alerts = [{ ...alert, severity: 'fail' as const, text: 'no node is MASTER' }];
  const { run } = await desk(t, {
    ...control,
    status: () => Promise.resolve(statusOf({ alerts })),
  });
  const { code } = await run(['drill', 'failover', '--yes', '--abort-on', 'alert']);
  t.deepEqual([code, told[0]?.why], [1, 'alert: no node is MASTER']);
});

test('--dry-run says what would move, and is 3', async (t) => {
  const { control, acts } = rehearsing('127.0.0.1:1', () => ({}));
  const { run } = await desk(t, control);
  const { code, stdout, stderr } = await run(['drill', 'failover', '--dry-run']);
  t.deepEqual([code, acts.length], [3, 1]);
  t.regex(stdout, /^ADDRESS +FROM +TO +DARK AT MOST\n1@wan +haproxy01 +haproxy02 +-\n$/);
  t.is(stderr, 'Nothing was changed (--dry-run).\n');
});

test('without --yes and without a terminal it is 2, and no agent is asked', async (t) => {
  const { control, acts } = rehearsing('127.0.0.1:1', () => ({}));
  const { run } = await desk(t, control);
  const both = [await run(['drill', 'failover']), await run(['drill', 'failover', '-o', 'json'])];
  t.deepEqual([both.map(({ code }) => code), acts.length], [[2, 2], 0]);
  t.regex(both[0]?.stderr ?? '', /a drill asks first[^]*look with --dry-run, then add --yes/);
});

test('nothing is begun where clients are not answered from here, or nobody knows where they are', async (t) => {
  const { control, acts } = rehearsing('', () => ({}));
  const { run } = await desk(t, control);
  const at = `127.0.0.1:${await freePort()}`;
  const silent = await run(['drill', 'failover', '--yes', '--probe', at, '-o', 'json']);
  t.deepEqual(
    [silent.code, (envelope(silent.stdout) as { error?: { code: string } }).error?.code],
    [1, 'probe_unanswered'],
  );
  const wrong = await run(['drill', 'failover', '--yes', '--probe', 'nowhere']);
  t.is(wrong.code, 2);
  t.true(acts.every(({ header }) => header.dryRun));
});

test('what the agent refuses is its code and text, and nothing is begun', async (t) => {
  const error = {
    code: 'paused',
    message: 'nothing was rehearsed: automation is paused',
    cause: '',
  };
  const { run } = await desk(t, {
    drill: () =>
      Promise.resolve({
        ...emptyResult,
        outcome: 'conflict',
        error: { ...error, remediation: 'proxyctl resume', retryable: true },
      }),
  });
  const { code, stdout, stderr } = await run(['drill', 'failover', '--yes']);
  t.deepEqual([code, stdout], [9, '']);
  t.is(
    stderr,
    'proxyctl: nothing was rehearsed: automation is paused\n  do      proxyctl resume\n',
  );
});

test('status shows the last drill, and its JSON has it', async (t) => {
  const value = {
    kind: 'failover',
    state: 'failed',
    node: 'haproxy01',
    by: 'haproxy02',
    means: null,
    startedWallMs: Date.now() - 7_203_000,
    endedWallMs: Date.now() - 7_200_500,
    deadlineWallMs: Date.now(),
    maxOutageMs: 500,
    darkMs: 812,
    sent: 100,
    lost: 31,
    why: 'clients have waited 512 ms, more than 500 ms',
    homes: {},
  };
  const intents = [
    intentOf({ key: drillKey('failover'), value: JSON.stringify(value), actor: 'anna' }),
  ];
  const { run } = await desk(t, { status: () => Promise.resolve(statusOf({ intents })) });
  const { stdout } = await run(['status']);
  t.regex(
    stdout.replaceAll(/\n {10}/g, ' '),
    /drill {5}failover on haproxy01 failed, clients waited 812 ms \(bound 500 ms\), 2 h ago, by anna: clients have waited 512 ms/,
  );
  const { result } = envelope((await run(['status', '-o', 'json'])).stdout) as {
    result: { drills: readonly object[] };
  };
  t.like(result.drills, [
    { kind: 'failover', state: 'failed', dark_ms_max: 812, lost: 31, actor: 'anna' },
  ]);
});

test('a gap is what a client waits between two answers, whatever order they came in', (t) => {
  const at = (startMs: number, ok = true) => ({ startMs, ok });
  t.deepEqual(gapsIn([at(0), at(20), at(40)], 20, 60), []);
  t.deepEqual(
    gapsIn([at(100), at(0), at(60, false), at(20), at(80, false), at(40, false)], 20, 120),
    [{ atMs: 20, ms: 60 }],
  );
  t.deepEqual(gapsIn([at(0), at(20, false)], 20, 520), [{ atMs: 0, ms: 500 }]);
  t.deepEqual(gapsIn([], 20, 5), []);
});

test('a place is HOST:PORT or a URL, of either family', (t) => {
  const plain = (name: string, host: string, port: number) => ({ name, host, port, request: null });
  t.deepEqual(targetOf('10.1.60.200:443'), plain('10.1.60.200:443', '10.1.60.200', 443));
  t.deepEqual(targetOf('[2001:db8::1]:80'), plain('[2001:db8::1]:80', '2001:db8::1', 80));
  t.deepEqual(targetOf('https://[2001:db8::1]/health?a=1'), {
    name: 'https://[2001:db8::1]/health?a=1',
    host: '2001:db8::1',
    port: 443,
    request: { path: '/health?a=1', secure: true },
  });
  for (const text of [
    '',
    '10.1.60.200',
    ':443',
    '10.1.60.200:0',
    '10.1.60.200:70000',
    'ftp://x',
    'http://',
  ])
    t.throws(() => targetOf(text), { name: 'ActFailure' }, text);
});

test('a connection counts where it is accepted, of a URL where HTTP of below 500 comes back', async (t) => {
  const ask = async (text: string, url: boolean): Promise<boolean> => {
    const { at } = await serving(t, text);
    return knock(targetOf(url ? `http://${at}/` : at), 1000);
  };
  t.deepEqual(
    [
      await ask('', false),
      await ask('HTTP/1.1 404 Not Found\r\n\r\n', true),
      await ask('HTTP/1.1 503 Service Unavailable\r\n\r\n', true),
      await ask('', true),
      await knock(targetOf(`127.0.0.1:${await freePort()}`), 1000),
    ],
    [true, true, false, false, false],
  );
});

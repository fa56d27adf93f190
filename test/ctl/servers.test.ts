import { once } from 'node:events';
import test from 'ava';
import type { ServersAnswer } from '../../agent/core/answers.ts';
import type { Streams } from '../../ctl/streams.ts';
import { barLine, progressShown } from '../../ctl/render/bar.ts';
import { serversListResult } from '../../ctl/json/servers.ts';
import { serversScreen } from '../../ctl/render/servers.ts';
import { serverReading } from '../core/builders.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, envelope, printed } from './command.ts';
import { intentOf } from './statuses.ts';

const WALL = Date.UTC(2026, 10, 26, 12);
const drained = intentOf({
  stamp: { wallMs: WALL - 12 * 60_000, count: 0, node: 'haproxy01' },
  untilWallMs: WALL + 3600_000,
});
const weighed = intentOf({
  key: 'weight//WEB/web2',
  value: '50%',
  reason: '',
  stamp: { wallMs: WALL - 60_000, count: 0, node: 'haproxy01' },
});
const servers = [
  serverReading({ status: 'DRAIN', admin: 'drain', adminBits: 8, sessions: 14, queued: 2 }),
  serverReading({ name: 'web2', weight: 5, initialWeight: 10, total: 2 ** 33 }),
  serverReading({ name: 'web3', status: 'MAINT', admin: 'maint', adminBits: 5, check: '' }),
  serverReading({ name: 'web4', status: 'MAINT', adminBits: 0x20, check: '' }),
  serverReading({ name: 'web5', status: 'no check', backup: true, check: '' }),
];
const answer: ServersAnswer = {
  node: 'haproxy01',
  nodes: [
    { node: 'haproxy01', problem: '', servers },
    { node: 'haproxy02', problem: '', servers: servers.slice(0, 4) },
  ],
  intents: [drained, weighed],
};

test('servers: the nodes side by side, each server by whose word it is out, and who said so', (t) => {
  t.is(
    serversScreen(answer, WALL).replaceAll(/until \S+ ?\d*:?\d*,/g, 'until TIME,'),
    `SERVER    NODE       STATE         WT  SESS  QUEUE  CHECK
WEB/web1  haproxy01  drain          1    12      2  L4OK
          haproxy02  drain          1    12      2  L4OK
WEB/web2  haproxy01  UP             5     0      0  L4OK
          haproxy02  UP             5     0      0  L4OK
WEB/web3  haproxy01  disabled       1     0      0  -
          haproxy02  disabled       1     0      0  -
WEB/web4  haproxy01  maint-dns      1     0      0  -
          haproxy02  maint-dns      1     0      0  -
WEB/web5  haproxy01  no-check/bck   1     0      0  -
          haproxy02  ?

drained   WEB/web1, 12 min, by anna until TIME, "kernel update"
weight    WEB/web2 50%, 1 min, by anna
`,
  );
});

test('a wish whose server is gone says on which nodes, and what ends it', (t) => {
  const lost = { ...drained, key: 'server//WEB/old', untilWallMs: null, reason: '' };
  const weight = { ...weighed, key: 'weight//WEB/old' };
  const gone = { key: lost.key, server: 'gone' as const };
  const nodes = [
    { node: 'haproxy01', problem: '', servers: [], lost: [gone, { ...gone, key: weight.key }] },
    { node: 'haproxy02', problem: '', servers: [], lost: [{ ...gone, server: 'back' as const }] },
  ];
  const all = { ...answer, nodes, intents: [lost, weight] };
  t.is(
    serversScreen(all, WALL).split('\n').slice(-6).join('\n'),
    `drained   WEB/old, 12 min, by anna; no such server on haproxy01; was gone, is
          there again on haproxy02 and was not told: proxyctl ready WEB/old ends
          it
weight    WEB/old 50%, 1 min, by anna; no such server on haproxy01: proxyctl
          weight WEB/old reset ends it
`,
  );
  const who = { actor: 'anna', reason: '', until: null };
  t.deepEqual(serversListResult(all, WALL).lost, [
    {
      instance: '',
      backend: 'WEB',
      server: 'old',
      wish: { state: 'drain', ...who, since: '2026-11-26T11:48:00.000Z' },
      weight_wish: null,
      nodes: [
        { node: 'haproxy01', is: 'gone' },
        { node: 'haproxy02', is: 'back' },
      ],
    },
    {
      instance: '',
      backend: 'WEB',
      server: 'old',
      wish: null,
      weight_wish: { weight: '50%', ...who, since: '2026-11-26T11:59:00.000Z' },
      nodes: [{ node: 'haproxy01', is: 'gone' }],
    },
  ]);
});

test('a node that does not answer is said, and what it has is not guessed', (t) => {
  const problem = 'the agent on haproxy02 does not answer';
  const [first] = answer.nodes;
  const nodes = [
    { node: 'haproxy01', problem: '', servers: (first?.servers ?? []).slice(0, 1) },
    { node: 'haproxy02', problem, servers: [] },
  ];
  t.is(
    serversScreen({ ...answer, nodes, intents: [] }, WALL),
    `          haproxy01                      haproxy02
SERVER    STATE  WT  SESS  QUEUE  CHECK  STATE  WT  SESS  QUEUE  CHECK
WEB/web1  drain   1    12      2  L4OK   ?

unknown   haproxy02: the agent on haproxy02 does not answer
`,
  );
});

test('a server changed past the agents is said, with what it should be and by whose word', async (t) => {
  const drift = [
    { backend: 'WEB', server: 'web2', is: 'weight 5', should: 'weight 10', wished: false },
    { backend: 'WEB', server: 'web1', is: 'ready', should: 'drain', wished: true },
  ];
  const [first, second] = answer.nodes;
  const nodes = [
    { node: 'haproxy01', problem: '', servers: first?.servers ?? [] },
    { node: 'haproxy02', problem: '', servers: second?.servers ?? [], drift },
  ];
  const { run } = await desk(t, { servers: () => Promise.resolve({ ...answer, nodes }) });
  const { stdout } = await run(['servers']);
  t.deepEqual(
    stdout.split('\n').filter((line) => line.startsWith('drift')),
    [
      'drift     WEB/web2 on haproxy02 is weight 5, and weight 10 is configured',
      'drift     WEB/web1 on haproxy02 is ready, and drain was asked for',
    ],
  );
  const json = envelope((await run(['servers', '-o', 'json'])).stdout);
  t.like(json, {
    result: {
      servers: [
        { nodes: [{ drift: [] }, { drift: [{ is: 'ready', should: 'drain', wished: true }] }] },
      ],
    },
  });
});

test('servers -o json has every key, null where a node has not the server', async (t) => {
  const { run } = await desk(t, { servers: () => Promise.resolve(answer) });
  const { code, stdout } = await run(['servers', 'WEB', '-o', 'json']);
  const { result } = envelope(stdout) as { result: { servers: unknown[] } };
  t.is(code, 0);
  t.deepEqual(result.servers[4], {
    instance: '',
    backend: 'WEB',
    server: 'web5',
    wish: null,
    weight_wish: null,
    nodes: [
      {
        node: 'haproxy01',
        state: 'ready',
        admin: 'ready',
        admin_bits: 0,
        status: 'no check',
        weight: 1,
        weight_configured: 1,
        sessions: 0,
        queued: 0,
        sessions_total: 0,
        check: null,
        backup: true,
        agent_check: false,
        state_file: false,
        address: '10.1.70.11',
        connect_errors: null,
        response_errors: null,
        http_5xx: null,
        bytes_in: null,
        bytes_out: null,
        response_ms: null,
        older: 0,
        uncounted: 0,
        drift: [],
      },
      {
        node: 'haproxy02',
        state: null,
        admin: null,
        admin_bits: null,
        status: null,
        weight: null,
        weight_configured: null,
        sessions: null,
        queued: null,
        sessions_total: null,
        check: null,
        backup: null,
        agent_check: null,
        state_file: null,
        address: null,
        connect_errors: null,
        response_errors: null,
        http_5xx: null,
        bytes_in: null,
        bytes_out: null,
        response_ms: null,
        older: null,
        uncounted: null,
        drift: null,
      },
    ],
  });
  t.like(result.servers[0], { wish: { state: 'drain', actor: 'anna', reason: 'kernel update' } });
  t.like(result.servers[1], { wish: null, weight_wish: { weight: '50%', reason: '' } });
});

test('thousands of servers come in pages and arrive whole', async (t) => {
  const many = Array.from({ length: 2345 }, (_, at) =>
    serverReading({ name: `s${at}`, total: at }),
  );
  const nodes = [{ node: 'haproxy01', problem: '', servers: many }];
  const { run } = await desk(t, { servers: () => Promise.resolve({ ...answer, nodes }) });
  const { stdout } = await run(['servers', '-o', 'json']);
  const { result } = envelope(stdout) as { result: { servers: { server: string }[] } };
  t.deepEqual(
    result.servers.map(({ server }) => server),
    many.map(({ name }) => name),
  );
});

test('servers --watch -o json is one envelope a line, each with an id of its own', async (t) => {
  const { start } = await desk(t, { servers: () => Promise.resolve(answer) });
  const child = start(['servers', '--watch', '-o', 'json']);
  let lines: string[] = [];
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    lines = text.split('\n').slice(0, -1);
    if (lines.length >= 2) break;
  }
  child.kill('SIGKILL');
  const ids = lines.map((line) => (JSON.parse(line) as { request_id: string }).request_id);
  t.is(new Set(ids).size, 2);
  t.true(ids.every((id) => /^[0-9a-f]{12}$/.test(id)));
});

test('drain --wait asks for it with 300 s, and without a terminal progress is plain lines', async (t) => {
  const { run, server } = await desk(t, {
    setServers(act, report) {
      server.heard.add({ kind: 'act', act });
      report({ step: 'storing', text: 'drain on haproxy01', tookMs: 3 });
      for (const done of [0, 1, 2])
        report({ step: 'draining', text: `${2 - done} left`, tookMs: done, part: { done, of: 2 } });
      return Promise.resolve(emptyResult);
    },
  });
  const { code, stderr } = await run(['drain', 'WEB/web1', '--wait', '--then', 'kill']);
  t.is(code, 0);
  t.deepEqual(
    stderr.split('\n').map((line) => line.replace(/ {2,}/g, ' ')),
    [
      'storing drain on haproxy01 3 ms',
      'draining 2 left 0 ms',
      'draining 0 left 2 ms',
      'Stays so until `proxyctl ready`.',
      '',
    ],
  );
  const heard = await server.heard.until(({ kind }) => kind === 'act');
  t.like(heard, { act: { state: 'drain', wait: 'kill', header: { timeoutMs: 300_000 } } });
});

test('whatever ends by itself says when, in its last line', async (t) => {
  const done = () => Promise.resolve(emptyResult);
  const { run } = await desk(t, {
    setServers: done,
    setWeights: done,
    setMaintenance: done,
    setAutomation: done,
  });
  const acts = [
    ['drain', 'WEB/web1'],
    ['maint', 'WEB/web1'],
    ['weight', 'WEB/web1', '50%'],
    ['maintenance', 'on', 'haproxy01'],
    ['pause'],
  ];
  const last: (string | undefined)[] = [];
  for (const act of acts) {
    const { stderr } = await run([...act, '--until', '2h']);
    const line = stderr.trimEnd().split('\n').at(-1) ?? '';
    last.push(line.replace(/(?<=until )(\S+ )?\d\d:\d\d(?= or)/, 'TIME'));
  }
  t.deepEqual(last, [
    'Stays so until TIME or `proxyctl ready`.',
    'Stays so until TIME or `proxyctl ready`.',
    'Stays so until TIME or `proxyctl weight ... reset`.',
    'haproxy01 stays out until TIME or `proxyctl maintenance off haproxy01`.',
    'Nothing moves by itself until TIME or `proxyctl resume`; your own verbs go on.',
  ]);
});

test('--then without --wait, or with a word that is none, is a mistake', async (t) => {
  const { run } = await desk(t);
  t.like(await run(['drain', 'WEB/web1', '--then', 'kill']), {
    code: 2,
    stderr: 'proxyctl: --then says what happens when --wait ends\n  do      add --wait\n',
  });
  t.is((await run(['maint', 'WEB/web1', '--wait', '--then', 'stop'])).code, 2);
  t.is((await run(['ready', 'WEB/web1', '--wait'])).code, 2);
});

test('weight sends the text, and reset none', async (t) => {
  const { run, server } = await desk(t, {
    setWeights(act) {
      server.heard.add({ kind: 'act', act });
      return Promise.resolve(emptyResult);
    },
  });
  t.is((await run(['weight', 'WEB/web1', '50%', '--until', '1h'])).code, 0);
  t.is((await run(['weight', 'WEB', 'reset'])).code, 0);
  t.like(server.heard.items, [
    { act: { targets: ['WEB/web1'], weight: '50%', untilMs: 3_600_000 } },
    { act: { targets: ['WEB'], weight: null, untilMs: null } },
  ] as never);
});

test('Ctrl-C in a wait: the agent goes on, exit 7 and how to join it', async (t) => {
  const { start } = await desk(t, {
    setServers(_act, report) {
      report({ step: 'draining', text: '2 left', tookMs: 1, part: { done: 0, of: 2 } });
      return new Promise(() => undefined);
    },
  });
  const child = start(['drain', 'WEB/web1', '--wait']);
  await printed(child, 'draining');
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  t.deepEqual(await ended, [7, null]);
});

test('on a terminal a wait is a bar in place, and its last state stays as a line', (t) => {
  const said: string[] = [];
  const io: Streams = {
    out: (text) => said.push(`out ${text}`),
    err: (text) => said.push(`err ${text.replace(/ {2,}/g, ' ')}`),
    screen: () => undefined,
    states: () => undefined,
    live: (line) => said.push(`live ${line}`),
  };
  const shown = progressShown(io, () => 0);
  for (const done of [0, 3, 4])
    shown.report({ step: 'draining', text: `${4 - done} left`, tookMs: 1, part: { done, of: 4 } });
  shown.end();
  shown.end();
  t.deepEqual(said, [
    'live draining   [....................] 4 left',
    'live draining   [###############.....] 1 left',
    'live draining   [####################] 0 left',
    'live ',
    'err draining 0 left 1 ms\n',
  ]);
  const long = barLine({
    step: 'draining',
    text: 'x'.repeat(100),
    tookMs: 0,
    part: { done: 0, of: 1 },
  });
  t.is(long.length, 79);
});

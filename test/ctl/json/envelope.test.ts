import test from 'ava';
import { ActFailure, type ActResult } from '../../../agent/core/results.ts';
import { emptyResult } from '../../rpc/world.ts';
import { desk, envelope, overTls, PROXYCTL } from '../command.ts';
import { backup, DAY, intentOf, nodeOf, statusOf } from '../statuses.ts';

test('status -o json is one line with every key, null where nothing is known', async (t) => {
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01', {
        preempt: null,
        applied: [{ key: 'server//WEB/web1', stamp: intentOf().stamp, problem: '' }],
      }),
      nodeOf(
        'haproxy02',
        { addresses: [backup()], haproxy: [] },
        { peerClass: 'agent-down', ageMs: 41_000, problem: 'connection refused' },
      ),
      nodeOf('haproxy03', {}, { peerClass: 'never-seen', ageMs: null, report: null, problem: 'x' }),
    ],
    intents: [intentOf()],
  });
  const { run } = await desk(t, { status: () => Promise.resolve(status) });
  const { code, stdout, stderr } = await run(['status', '-o', 'json']);
  t.deepEqual([code, stderr], [0, '']);
  const said = envelope(stdout.replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"TIME"'));
  const unreachable = (node: string, message: string) => ({
    node,
    ok: false,
    changed: false,
    error: {
      code: 'agent_unreachable',
      message,
      cause: '',
      remediation: `on ${node}: service proxyagent status`,
      retryable: true,
    },
  });
  const agent = {
    version: '0.1.0',
    protocol: 1,
    up_ms: DAY,
    joined: true,
    carp_events: 'events',
    icmp: 'ping',
  };
  t.deepEqual(said, {
    schema: 'proxyctl/v1',
    verb: 'status',
    ok: true,
    changed: false,
    request_id: 'ID',
    answered_by: 'haproxy01',
    took_ms: 'N',
    result: {
      pair: 'web',
      paused: false,
      seen: '1790000000000/2/haproxy01',
      addresses: [
        {
          address: '1@wan',
          vhid: 1,
          vips: ['10.1.60.200', 'fd5e:d1c2:c9de:60::200'],
          owner: 'haproxy01',
          pin: null,
          reason: '1@wan stays on haproxy01: it serves',
          reason_age_ms: 240_000,
          nodes: [
            {
              node: 'haproxy01',
              interface: 'vtnet0',
              state: 'MASTER',
              advskew: 0,
              base_advskew: 0,
              age_ms: 100,
              last: null,
            },
            {
              node: 'haproxy02',
              interface: 'vtnet0',
              state: null,
              advskew: null,
              base_advskew: 100,
              age_ms: 40_000,
              last: { state: 'BACKUP', advskew: 100 },
            },
          ],
        },
      ],
      nodes: [
        {
          node: 'haproxy01',
          class: 'alive',
          health: 'serving',
          health_reason: 'HAProxy serves',
          age_ms: 100,
          agent,
          fenced: false,
          demotion: 0,
          preempt: null,
          haproxy: [
            {
              instance: '',
              state: 'up',
              problem: '',
              version: '2.6.12',
              pid: 812,
              up_ms: 41 * DAY,
              backends_up: 2,
              backends_down: 0,
              sessions: 214,
              older: { processes: 0, sessions: 0, uncounted: 0, problem: '' },
              drift: [],
              drifted: 0,
              backends: [
                { name: 'WEB', up: true, servers: 3, servers_up: 3 },
                { name: 'GITEA', up: true, servers: 1, servers_up: 1 },
              ],
            },
          ],
          certificates: [
            {
              path: '/usr/local/etc/ssl/www.pem',
              fingerprint: 'f2856614e8660f03439dc00ef48bc515fc57d6db',
              not_after: 'TIME',
              names: ['www.example.net'],
            },
          ],
        },
        {
          node: 'haproxy02',
          class: 'agent-down',
          health: null,
          health_reason: null,
          age_ms: 40_000,
          agent,
          fenced: false,
          demotion: 0,
          preempt: false,
          haproxy: [],
          certificates: [],
        },
        {
          node: 'haproxy03',
          class: 'never-seen',
          health: null,
          health_reason: null,
          age_ms: null,
          agent: null,
          fenced: null,
          demotion: null,
          preempt: null,
          haproxy: [],
          certificates: [],
        },
      ],
      maintenance: [],
      pause: null,
      drained: [
        {
          instance: '',
          backend: 'WEB',
          server: 'web1',
          state: 'drain',
          actor: 'anna',
          reason: 'kernel update',
          since: 'TIME',
          until: null,
          nodes: [
            { node: 'haproxy01', in_force: true, problem: '' },
            { node: 'haproxy02', in_force: false, problem: null },
            { node: 'haproxy03', in_force: false, problem: null },
          ],
        },
      ],
      alerts: [
        {
          id: 'not-heard',
          node: 'haproxy01',
          subject: 'haproxy02',
          severity: 'warn',
          text: 'is not heard: connection refused',
          remedy: 'on haproxy02: service proxyagent status',
          since_ms: 40_000,
        },
        {
          id: 'not-heard',
          node: 'haproxy01',
          subject: 'haproxy03',
          severity: 'warn',
          text: 'is not heard: x',
          remedy: 'on haproxy03: service proxyagent status',
          since_ms: null,
        },
      ],
      drills: [],
      decision: { reason: '1@wan stays on haproxy01: it serves', age_ms: 240_000 },
    },
    nodes: [
      { node: 'haproxy01', ok: true, changed: false },
      unreachable('haproxy02', 'connection refused'),
      unreachable('haproxy03', 'x'),
    ],
  });
});

const bothDone = [
  { node: 'haproxy01', ok: true, changed: true, error: null },
  { node: 'haproxy02', ok: true, changed: true, error: null },
];

test('failover -o json names the move, and what a read afterwards found', async (t) => {
  const moved: Partial<ActResult> = {
    nodes: bothDone,
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
  const nodes = [nodeOf('haproxy01'), nodeOf('haproxy02', {}, { problem: 'connection refused' })];
  const { run } = await desk(t, {
    status: () => Promise.resolve(statusOf({ nodes })),
    move: (act, report) => {
      report({ step: 'checking', text: 'haproxy02 serves', tookMs: 9 });
      const { requestId } = act.header;
      return Promise.resolve({ ...emptyResult, requestId, ...moved });
    },
  });
  const { code, stdout, stderr } = await run(['failover', '--json', '--request-id', 'r77']);
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(envelope(stdout), {
    schema: 'proxyctl/v1',
    verb: 'failover',
    ok: true,
    changed: true,
    request_id: 'r77',
    answered_by: 'haproxy01',
    took_ms: 'N',
    result: {
      addresses: [
        {
          address: '1@wan',
          vhid: 1,
          vips: ['10.1.60.200'],
          from: 'haproxy01',
          to: 'haproxy02',
          outcome: 'moved',
          dark_ms_max: 6,
          sessions: 3,
          pin: { node: 'haproxy02', actor: 'anna', reason: 'kernel update', until: null },
        },
      ],
    },
    nodes: [
      {
        node: 'haproxy01',
        ok: true,
        changed: true,
        state: 'MASTER',
        advskew: 0,
        base_advskew: 0,
      },
      {
        node: 'haproxy02',
        ok: true,
        changed: true,
        state: null,
        advskew: null,
        base_advskew: null,
      },
    ],
  });
});

test('drain and cert push -o json have snake_case keys', async (t) => {
  const result: ActResult = {
    ...emptyResult,
    nodes: bothDone,
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
    certificates: [
      {
        node: 'haproxy01',
        path: '/usr/local/etc/ssl/www.pem',
        fingerprintBefore: 'aa',
        fingerprint: 'bb',
        notAfter: '2027-01-24T23:48:17Z',
        names: ['www.example.net'],
        outcome: 'swapped',
      },
    ],
  };
  const answer = () => Promise.resolve(result);
  const { run } = await desk(t, { setServers: answer, pushCertificate: answer }, overTls('admin'));
  const contents = async (...argv: string[]) =>
    envelope((await run([...argv, '-o', 'json'])).stdout) as { result: unknown; nodes: unknown };
  const drain = await contents('drain', 'WEB/web1');
  const push = await contents('cert', 'push', PROXYCTL);
  t.deepEqual(drain.result, {
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
  });
  t.deepEqual(push.result, {
    certificates: [
      {
        node: 'haproxy01',
        path: '/usr/local/etc/ssl/www.pem',
        fingerprint_before: 'aa',
        fingerprint: 'bb',
        not_after: '2027-01-24T23:48:17Z',
        names: ['www.example.net'],
        outcome: 'swapped',
        verified: null,
        listeners: [],
      },
    ],
  });
  t.deepEqual(drain.nodes, [
    { node: 'haproxy01', ok: true, changed: true },
    { node: 'haproxy02', ok: true, changed: true },
  ]);
});

test('a refusal, an unreachable agent and a mistyped option are envelopes too', async (t) => {
  const detail = {
    code: 'last_server',
    message: 'not drained: web1 is the last server of WEB',
    cause: 'web2 is DOWN',
    remediation: '--accept-risk=last-server',
    retryable: true,
  };
  const { run, world } = await desk(t, {
    setServers: () => Promise.reject(new ActFailure('unsafe', detail)),
  });
  const failure = async (...argv: string[]) => {
    const { code, stdout, stderr } = await run(argv);
    const { verb, ok, changed, request_id, answered_by, result, nodes, error } = envelope(
      stdout,
    ) as Record<string, unknown>;
    return { code, stderr, verb, ok, changed, request_id, answered_by, result, nodes, error };
  };
  const base = { stderr: '', ok: false, changed: false, request_id: 'ID', result: null, nodes: [] };
  t.deepEqual(await failure('drain', 'WEB/web1', '-o', 'json'), {
    ...base,
    code: 5,
    verb: 'drain',
    answered_by: 'haproxy01',
    error: { ...detail, request_id: 'ID' },
  });
  t.deepEqual(await failure('cert', 'push', '/none.pem', '--output=json'), {
    ...base,
    code: 2,
    verb: 'cert push',
    answered_by: null,
    error: {
      code: 'usage',
      message: '/none.pem cannot be read',
      cause: "ENOENT: no such file or directory, open '/none.pem'",
      remediation: 'name a PEM file, or - for standard input',
      retryable: false,
      request_id: 'ID',
    },
  });
  t.deepEqual(await failure('status', '-o', 'json', '--chekc'), {
    ...base,
    code: 2,
    verb: 'status',
    answered_by: null,
    error: {
      code: 'usage',
      message: "unknown option '--chekc'",
      cause: '',
      remediation: 'did you mean --check? See proxyctl status --help',
      retryable: false,
      request_id: 'ID',
    },
  });
  const config = `${world.folder}/gone.toml`;
  t.like(await failure('status', '--json', '--config', config), {
    code: 2,
    error: { code: 'usage', message: `${config} cannot be read` },
  });
});

test('context list -o json names the agents of each context', async (t) => {
  const { run, server, config } = await desk(t);
  const { stdout } = await run(['context', 'list', '--json']);
  t.like(envelope(stdout), {
    verb: 'context list',
    ok: true,
    answered_by: null,
    result: {
      file: config,
      contexts: [{ name: 'web', current: false, agents: [server.socketPath] }],
    },
  });
});

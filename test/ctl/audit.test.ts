import { once } from 'node:events';
import test from 'ava';
import { auditLine, NOTHING } from '../../agent/core/audit/audit-lines.ts';
import type { AuditAsk, AuditEntry } from '../../agent/core/audit/audit.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';
import { pastMs } from '../../ctl/times.ts';
import { desk, envelope, overTls, unbroken } from './command.ts';

const TIME = '2027-01-15T08:00:00.000Z';
const entryOf = (more: Partial<AuditEntry>): AuditEntry => ({
  ...NOTHING,
  time: TIME,
  node: 'haproxy01',
  event: 'begun',
  what: 'servers',
  ...more,
});
const lineOf = (node: string, more: Partial<AuditEntry>) => ({
  node,
  line: auditLine(entryOf({ node, ...more })),
});
const there = (node: string) => ({ node, problem: '', leftOut: '' });
const BOTH = [there('haproxy01'), there('haproxy02')];
const answerOf = (
  lines: LinesAnswer['lines'],
  nodes: LinesAnswer['nodes'] = BOTH,
): LinesAnswer => ({ node: 'haproxy01', nodes, lines });

const ANNA = { how: 'certificate', name: 'anna', role: 'operator', serial: 'A1' } as const;
const PEER = { how: 'certificate', name: 'haproxy01', role: 'node', serial: 'B2' } as const;
const SOCKET = {
  how: 'socket',
  socket: '/var/run/proxyctl/agent.sock',
  role: 'operator',
  uid: null,
  pid: null,
} as const;
const DRAIN = {
  who: ANNA,
  from: '192.0.2.7:50000',
  claimed: 'root',
  reason: 'kernel update',
  requestId: 'r1',
  objects: ['WEB/web1'],
  objectsCount: 3,
  args: { state: 'drain' },
};
const nodes = [
  { node: 'haproxy01', ok: true, changed: true, code: '' },
  { node: 'haproxy02', ok: false, changed: false, code: 'agent_unreachable' },
];
const LINES = [
  lineOf('haproxy01', DRAIN),
  lineOf('haproxy02', {
    what: 'store intents',
    who: PEER,
    from: '192.0.2.1:4',
    asked: [{ actor: 'anna', requestId: 'r1' }],
    askedCount: 2,
  }),
  lineOf('haproxy01', {
    ...DRAIN,
    event: 'ended',
    outcome: 'partial',
    code: 'agent_unreachable',
    changed: true,
    tookMs: 40,
    nodes,
  }),
  lineOf('haproxy01', {
    what: 'move',
    event: 'refused',
    who: SOCKET,
    from: 'unix socket',
    claimed: 'anna',
    code: 'unsafe',
    message: 'no\u001b[2J',
    count: 7,
  }),
  { node: 'haproxy01', line: '{"half' },
];

test('who it was and who somebody says they are stand apart; escapes do nothing', async (t) => {
  const { run } = await desk(t, { audit: () => Promise.resolve(answerOf(LINES)) });
  const { code, stdout, stderr } = await run(['audit']);
  t.deepEqual([code, stderr], [0, '']);
  t.true(
    stdout.split('\n').every((line) => line.length <= 80),
    stdout,
  );
  t.is(
    stdout,
    `2027-01-15 08:00:00Z  haproxy01  begun     servers  WEB/web1 and 2 more
          state=drain
    by      anna (operator, certificate A1), from 192.0.2.7:50000, calls itself
            root, request r1
    reason  kernel update
2027-01-15 08:00:00Z  haproxy02  begun     store intents
    by      haproxy01 (node, certificate B2), from 192.0.2.1:4, for anna r1 and
            1 more, as it says
2027-01-15 08:00:00Z  haproxy01  ended     servers  WEB/web1 and 2 more
          state=drain
    by      anna (operator, certificate A1), from 192.0.2.7:50000, calls itself
            root, request r1
    reason  kernel update
    ended   partial, agent_unreachable, changed, 40 ms, haproxy01 ok, haproxy02
            agent_unreachable
2027-01-15 08:00:00Z  haproxy01  refused   move (7 times)
    by      somebody at /var/run/proxyctl/agent.sock (operator, uid not known),
            calls itself anna
    ended   unsafe
    said    no?[2J
`,
  );
});

test('audit -o json has what is on record, and who claimed something is not who it was', async (t) => {
  const { run } = await desk(t, { audit: () => Promise.resolve(answerOf(LINES)) });
  const { code, stdout } = await run(['audit', '--json']);
  t.is(code, 0);
  t.like(envelope(stdout), {
    verb: 'audit',
    ok: true,
    result: {
      entries: [
        {
          time: TIME,
          who: { how: 'certificate', name: 'anna', role: 'operator', serial: 'A1', socket: null },
          claimed: 'root',
          args: [{ name: 'state', value: 'drain' }],
        },
        { node: 'haproxy02', asked: [{ actor: 'anna', request_id: 'ID' }].slice(1) },
        { event: 'ended', outcome: 'partial' },
        { who: { how: 'socket', name: null, uid: null, pid: null }, claimed: 'anna', count: 7 },
      ].map(({ asked: _asked, ...one }: Record<string, unknown>) => one),
      left_out: [],
    },
  });
});

test('a node that does not answer, and one that is older: said, exit 6, the others are shown', async (t) => {
  const away = {
    node: 'haproxy02',
    problem: 'audit on haproxy02: it does not know it',
    leftOut: '',
  };
  const part = { ...there('haproxy01'), leftOut: 'not read: /var/log/a.1.bz2' };
  const { run } = await desk(t, {
    audit: () => Promise.resolve(answerOf(LINES.slice(3), [part, away])),
  });
  const shown = await run(['audit']);
  t.is(shown.code, 6);
  t.true(
    shown.stdout.endsWith(
      'left out  haproxy01: not read: /var/log/a.1.bz2\n' +
        'missing   haproxy02: audit on haproxy02: it does not know it\n',
    ),
    shown.stdout,
  );
  const json = await run(['audit', '-o', 'json']);
  t.is(json.code, 6);
  t.like(envelope(json.stdout), {
    ok: false,
    incomplete: ['nodes'],
    result: { left_out: [{ node: 'haproxy01', reason: 'not read: /var/log/a.1.bz2' }] },
    nodes: [
      { node: 'haproxy01', ok: true },
      { node: 'haproxy02', ok: false, error: { code: 'audit_unknown' } },
    ],
  });
});

test('--since, --who and --limit are what the agent is asked; a viewer is refused', async (t) => {
  const asks: AuditAsk[] = [];
  const audit = (ask: AuditAsk): Promise<LinesAnswer> => {
    asks.push(ask);
    return Promise.resolve(answerOf([]));
  };
  const { run } = await desk(t, { audit });
  const { stdout } = await run(['audit', '--since', '2h', '--who', 'anna', '--limit', '5']);
  t.is(stdout, 'Nothing is on record for that.\n');
  await run(['audit', '--limit', '0']);
  t.deepEqual(asks, [
    { sinceMs: 7_200_000, who: 'anna', limit: 5 },
    { sinceMs: null, who: '', limit: 5000 },
  ]);
  const wrong = await run(['audit', '--since', '2999-01-01T00:00:00Z']);
  t.is(wrong.code, 2);
  t.regex(unbroken(wrong.stderr), /Give 2h, 08:00 or/);
  const viewer = await desk(t, { audit }, overTls('viewer'));
  t.is((await viewer.run(['audit'])).code, 4);
  t.is(asks.length, 2);
});

test('--follow shows each line once, what comes later too, and ends with Ctrl-C: 130', async (t) => {
  let asked = 0;
  const { start } = await desk(t, {
    audit: () => {
      asked += 1;
      return Promise.resolve(answerOf(LINES.slice(0, asked)));
    },
  });
  const child = start(['audit', '--follow']);
  let out = '';
  child.stdout?.on('data', (chunk) => (out += String(chunk)));
  while (!out.includes('ended     servers')) await once(child.stdout ?? child, 'data');
  child.kill('SIGINT');
  const [code] = (await once(child, 'exit')) as [number];
  t.is(code, 130);
  t.deepEqual(
    [...out.matchAll(/^2027.*haproxy0\d  (\w+) +(\w+)/gm)].map(([, event, what]) => [event, what]),
    [
      ['begun', 'servers'],
      ['begun', 'store'],
      ['ended', 'servers'],
    ],
  );
});

test('a time that is past: a duration, the last such clock time, a date', (t) => {
  const now = Date.parse('2027-01-15T08:00:00Z');
  t.is(pastMs('90s', now), 90_000);
  t.is(pastMs('2027-01-15T07:00:00Z', now), 3_600_000);
  t.is(pastMs('2027-01-15T09:00:00Z', now), null);
  const today = pastMs('07:00', now) ?? -1;
  t.true(today >= 0 && today < 86_400_000);
  t.is(pastMs('25:00', now), null);
  t.is(pastMs('yesterday', now), null);
});

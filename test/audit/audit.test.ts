import {
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openAudit, type AuditLog } from '../../agent/audit/audit.ts';
import { auditEntry } from '../../agent/core/audit/audit-lines.ts';
import type { AuditCaller } from '../../agent/core/audit/audit.ts';
import { problems } from '../../agent/problems.ts';
import { FakeClock } from '../fake-clock.ts';
import { emptyResult } from '../rpc/world.ts';
import { ANNA, drain, header } from './callers.ts';

const SOCKET: AuditCaller = {
  who: { how: 'socket', socket: '/run/agent.sock', role: 'operator', uid: null, pid: null },
  from: 'unix socket',
};
interface Desk {
  readonly audit: AuditLog;
  readonly clock: FakeClock;
  readonly file: string;
  /** Lines of the file as they are read again. */
  readonly lines: () => Record<string, unknown>[];
  readonly syslog: string[];
  readonly raised: () => string[];
}

function desk(t: ExecutionContext, given: { always?: boolean; name?: string } = {}): Desk {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-audit-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, given.name ?? 'audit.log');
  const clock = new FakeClock();
  const open = problems(clock, () => undefined);
  const syslog: string[] = [];
  const audit = openAudit({
    node: 'haproxy01',
    file,
    syslog: { write: (line) => syslog.push(line), always: given.always ?? true },
    clock,
    problems: open,
  });
  return {
    audit,
    clock,
    file,
    syslog,
    lines: () =>
      readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    raised: () => open.list().map(({ subject, cause }) => `${subject}: ${cause}`),
  };
}

test('an act is on record before it is done, and again when it has ended', async (t) => {
  const { audit, clock, lines } = desk(t);
  const ended = audit.act(ANNA, 'servers', drain);
  const begun = {
    time: '2027-01-15T08:00:00.000Z',
    node: 'haproxy01',
    event: 'begun',
    what: 'servers',
    who: { how: 'certificate', name: 'anna', role: 'operator', serial: 'A1' },
    from: '192.0.2.7:50000',
    claimed: 'root',
    reason: 'kernel update',
    request_id: 'r1',
    objects: ['WEB/web1'],
    args: { until_ms: 7_200_000, state: 'drain', wait: 'kill' },
  };
  t.deepEqual(lines(), [begun]);
  await clock.advance(40);
  const row = { node: 'haproxy02', ok: false, changed: false };
  const error = { code: 'agent_unreachable', message: 'no answer' };
  const whole = { ...error, cause: '', remediation: '', retryable: true };
  ended({ ...emptyResult, outcome: 'partial', error, nodes: [{ ...row, error: whole }] });
  ended({ ...emptyResult, error: null });
  t.deepEqual(lines(), [
    begun,
    {
      ...begun,
      time: '2027-01-15T08:00:00.040Z',
      event: 'ended',
      outcome: 'partial',
      code: 'agent_unreachable',
      message: 'no answer',
      changed: true,
      nodes: [{ ...row, code: 'agent_unreachable' }],
      took_ms: 40,
    },
  ]);
});

test('a drill is on record with what it may cost, and what ended it', (t) => {
  const { audit, lines } = desk(t);
  const times = { stayMs: 2000, maxOutageMs: 500 };
  audit.act(ANNA, 'drill', {
    header,
    kind: 'haproxy',
    node: 'haproxy01',
    means: 'health',
    ...times,
  });
  audit.act(ANNA, 'drill', { header, kind: 'agent', node: null, means: null, ...times });
  const seen = { header, drill: 'r1', sent: 9, lost: 1, darkMs: 41.4 };
  audit.act(ANNA, 'drill seen', { ...seen, stop: false, why: '' });
  audit.act(ANNA, 'drill seen', { ...seen, stop: true, why: 'dark' });
  const bounds = { max_outage_ms: 500, stay_ms: 2000 };
  t.deepEqual(
    lines().map(({ objects, args }) => [objects, args]),
    [
      [['haproxy01'], { kind: 'haproxy', ...bounds, means: 'health' }],
      [undefined, { kind: 'agent', ...bounds }],
      [['r1'], { dark_ms: 41 }],
      [['r1'], { stop: true, why: 'dark' }],
    ],
  );
});

test('over a socket nobody is anna: what is claimed stands apart', (t) => {
  const { audit, lines } = desk(t);
  audit.act(SOCKET, 'servers', { ...drain, header: { ...header, actor: 'anna' } });
  t.like(lines()[0], {
    who: { how: 'socket', socket: '/run/agent.sock', role: 'operator', uid: null, pid: null },
    claimed: 'anna',
  });
});

test('no key, token, key authorization or password is written; lists and texts have an end', (t) => {
  const { audit, file, lines } = desk(t);
  const secret = 'SECRETSECRETSECRET';
  const pem = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`;
  audit.act(ANNA, 'certificates', { header, bundles: [{ path: '/c/site.pem', pem }] });
  audit.act(ANNA, 'acme', { header, token: secret, keyAuthorization: secret, domain: 'a.example' });
  audit.act(ANNA, 'revocations', { header, list: pem });
  const reason = `curl https://anna:${secret}@host`;
  audit.act(ANNA, 'automation', { header: { ...header, reason }, paused: true, untilMs: null });
  audit.refused({ ...ANNA, what: 'move', code: 'c', message: `x${pem}` });
  t.false(readFileSync(file, 'utf8').includes(secret));
  t.deepEqual(
    lines().map(({ objects, args }) => [objects, args]),
    [
      [['/c/site.pem'], undefined],
      [['a.example'], { answer: 'set' }],
      [undefined, { bytes: pem.length }],
      [undefined, { paused: true }],
      [undefined, undefined],
    ],
  );
  const targets = Array.from({ length: 20_000 }, (_, at) => `WEB/${'w'.repeat(700)}${at}`);
  audit.act(ANNA, 'servers', { ...drain, targets });
  const long = lines().at(-1) ?? {};
  t.is((long['objects'] as string[]).length, 20);
  t.is(long['objects_count'], 20_000);
  t.true(JSON.stringify(long).length < 8000);
});

test('a name with line ends, escapes and marks that turn the writing is one line of plain ASCII signs', (t) => {
  const { audit, file } = desk(t);
  const message = 'a\nb\u001b[2J\u0085\u202e\u2028c';
  audit.refused({ ...ANNA, what: 'move', code: 'c', message });
  const [line = '', rest] = readFileSync(file, 'utf8').split('\n');
  t.is(rest, '');
  t.regex(line, /^[ -~]+$/);
  t.is(auditEntry(line)?.message, message);
});

test('refusals of one caller: ten lines a minute, then their number; others have lines of their own', async (t) => {
  const { audit, clock, lines } = desk(t);
  const refuse = (caller: AuditCaller, at: number): boolean =>
    audit.refused({ ...caller, what: 'move', code: 'role_too_low', message: `no ${at}` });
  const told = Array.from({ length: 5000 }, (_, at) => refuse(ANNA, at));
  t.is(told.filter(Boolean).length, 10);
  t.true(refuse(SOCKET, 0));
  t.is(lines().length, 11);
  await clock.advance(60_000);
  t.is(lines().length, 12);
  t.like(lines()[11], {
    event: 'refused',
    what: 'move',
    who: ANNA.who,
    message: 'the last of them: no 4999',
    count: 4990,
  });
  t.true(refuse(ANNA, 0));
});

test('handshakes: the first of an address and cause at once, the others as a number; thousands of addresses fill nothing', async (t) => {
  const { audit, clock, lines } = desk(t);
  const cause = 'no certificate';
  audit.handshakesRefused({ source: '192.0.2.9', cause, count: 3 });
  audit.handshakesRefused({ source: '192.0.2.9', cause, count: 500 });
  audit.handshakesRefused({ source: '192.0.2.9', cause: 'revoked', count: 1 });
  await clock.advance(60_000);
  t.deepEqual(
    lines().map(({ event, from, message, count }) => [event, from, message, count]),
    [
      ['handshake', '192.0.2.9', cause, 3],
      ['handshake', '192.0.2.9', 'revoked', 1],
      ['handshake', '192.0.2.9', cause, 500],
    ],
  );
  for (let at = 0; at < 10_000; at += 1)
    audit.handshakesRefused({ source: `2001:db8::${at.toString(16)}`, cause, count: 1 });
  await clock.advance(60_000);
  t.true(lines().length <= 3 + 66);
  const counted = lines().reduce((sum, { count }) => sum + Number(count), 0);
  t.is(counted, 504 + 10_000);
});

test('what was counted is said before the agent ends', (t) => {
  const { audit, lines } = desk(t);
  for (let at = 0; at < 12; at += 1)
    audit.refused({ ...ANNA, what: 'move', code: 'c', message: 'no' });
  audit.close();
  t.like(lines().at(-1), { event: 'refused', count: 2 });
});

test('a file that cannot be written: an alert, syslog has the lines, and the act goes on', (t) => {
  const { audit, file, syslog, raised, lines } = desk(t, { always: false });
  writeFileSync(`${file}.elsewhere`, '');
  symlinkSync(`${file}.elsewhere`, file);
  const ended = audit.act(ANNA, 'servers', drain);
  ended({ ...emptyResult, error: null });
  t.is(raised().length, 1);
  t.regex(raised()[0] ?? '', /^audit: .*ELOOP.*acts go on, and are in syslog alone$/);
  t.deepEqual(
    syslog.map((line) => auditEntry(line.replace('audit ', ''))?.event),
    ['begun', 'ended'],
  );
  t.is(statSync(`${file}.elsewhere`).size, 0);
  rmSync(file);
  audit.read(ANNA, 'haproxy show sess', []);
  t.deepEqual(raised(), []);
  t.deepEqual(
    lines().map(({ event, count }) => [event, count]),
    [
      ['read', undefined],
      ['lost', 2],
    ],
  );
});

test('syslog has acts and refusals, short enough for every syslogd, and no readings', (t) => {
  const { audit, syslog } = desk(t);
  const targets = Array.from({ length: 30 }, (_, at) => `WEB/${'w'.repeat(200)}${at}`);
  audit.act(ANNA, 'servers', { ...drain, targets });
  audit.refused({ ...SOCKET, what: 'move', code: 'c', message: 'm'.repeat(5000) });
  audit.read(ANNA, 'haproxy show sess', []);
  t.deepEqual(
    syslog.map((line) => [line.length <= 900, auditEntry(line.replace('audit ', ''))?.event]),
    [
      [true, 'begun'],
      [true, 'refused'],
    ],
  );
});

test('after newsyslog has turned the file over, lines go to the new one; a file that was removed is made again', (t) => {
  const { audit, file, lines } = desk(t);
  audit.read(ANNA, 'one', []);
  renameSync(file, `${file}.0`);
  audit.read(ANNA, 'two', []);
  writeFileSync(file, '');
  audit.reopen();
  audit.read(ANNA, 'three', []);
  t.deepEqual(
    lines().map(({ what }) => what),
    ['three'],
  );
  rmSync(file);
  audit.read(ANNA, 'four', []);
  t.deepEqual(
    lines().map(({ what }) => what),
    ['four'],
  );
});

test('decisions that gossip brought are on record as that of the node, with whom they were for', (t) => {
  const { audit, lines } = desk(t);
  const act = { actor: 'anna', requestId: 'r1' };
  audit.learnt('haproxy02', []);
  audit.learnt('haproxy02', [
    { ...act, key: 'pin/1@wan' },
    { ...act, key: 'pin/2@wan' },
  ]);
  t.deepEqual(lines(), [
    {
      time: '2027-01-15T08:00:00.000Z',
      node: 'haproxy01',
      event: 'learnt',
      what: 'decisions',
      who: { how: 'certificate', name: 'haproxy02', role: 'node', serial: null },
      objects: ['pin/1@wan', 'pin/2@wan'],
      asked: [{ actor: 'anna', request_id: 'r1' }],
    },
  ]);
});

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readAudit } from '../../agent/audit/read.ts';
import { auditEntry, auditLine, NOTHING } from '../../agent/core/audit/audit-lines.ts';
import type { AuditAsk, AuditEntry } from '../../agent/core/audit/audit.ts';

const NOW_MS = Date.parse('2027-01-15T08:00:00.000Z');
const ALL: AuditAsk = { sinceMs: null, who: '', limit: 5000 };

/** The `at`-th line, a second after the one before; the 0th was `count` seconds ago. */
const lineAt = (at: number, count: number, more: Partial<AuditEntry> = {}): string =>
  auditLine({
    ...NOTHING,
    time: new Date(NOW_MS - (count - at) * 1000).toISOString(),
    node: 'haproxy01',
    event: 'ended',
    what: `act ${at}`,
    message: 'x'.repeat(at % 300),
    ...more,
  });
const linesOf = (from: number, to: number, count: number): string =>
  Array.from({ length: to - from }, (_, at) => `${lineAt(from + at, count)}\n`).join('');

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-audit-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'audit.log');
}
const whats = (lines: readonly string[]): string[] =>
  lines.map((line) => auditEntry(line)?.what ?? '');

test('the newest lines of the file and of the one before it, in order; what is put away is named', async (t) => {
  const file = folderOf(t);
  t.deepEqual(await readAudit(file, ALL, NOW_MS), { lines: [], leftOut: '' });
  writeFileSync(`${file}.0`, linesOf(0, 1000, 3000));
  writeFileSync(file, linesOf(1000, 3000, 3000));
  for (const at of [1, 2, 3, 10]) writeFileSync(`${file}.${at}.bz2`, 'BZh');
  const { lines, leftOut } = await readAudit(file, ALL, NOW_MS);
  t.deepEqual(
    whats(lines),
    Array.from({ length: 3000 }, (_, at) => `act ${at}`),
  );
  t.is(leftOut, `not read: ${file}.1.bz2, ${file}.2.bz2, ${file}.3.bz2 and 1 more`);
  const newest = await readAudit(file, { ...ALL, limit: 2 }, NOW_MS);
  t.deepEqual([whats(newest.lines), newest.leftOut], [['act 2998', 'act 2999'], '']);
  const young = await readAudit(file, { ...ALL, sinceMs: 2500 }, NOW_MS);
  t.deepEqual([whats(young.lines), young.leftOut], [['act 2998', 'act 2999'], '']);
});

test('half lines, lines of others and one without end are passed over', async (t) => {
  const file = folderOf(t);
  writeFileSync(file, `${lineAt(0, 9).slice(0, 30)}\n[1]\nnewsyslog: turned over\n{"time":"x"}\n`);
  appendFileSync(file, `${lineAt(1, 9)}\n${'y'.repeat(3 << 20)}\n${lineAt(2, 9)}\n{"time":"20`);
  t.deepEqual(whats((await readAudit(file, ALL, NOW_MS)).lines), ['act 1', 'act 2']);
});

test('by name: certificates, what was claimed, and for whom a node asked', async (t) => {
  const file = folderOf(t);
  const by = (name: string) => ({
    who: { how: 'certificate', name, role: 'operator', serial: '1' } as const,
  });
  const lines = [
    lineAt(0, 9, by('anna')),
    lineAt(1, 9, by('bob')),
    lineAt(2, 9, { claimed: 'anna' }),
    lineAt(3, 9, { ...by('haproxy02'), asked: [{ actor: 'anna', requestId: 'r' }] }),
    lineAt(4, 9, { reason: 'anna asked for it' }),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { lines: found } = await readAudit(file, { ...ALL, who: 'anna' }, NOW_MS);
  t.deepEqual(whats(found), ['act 0', 'act 2', 'act 3']);
});

test('of a file without end only so much is given as fits a message, and that is said', async (t) => {
  const file = folderOf(t);
  const long = { message: 'm'.repeat(2000) };
  const lines = Array.from({ length: 4000 }, (_, at) => `${lineAt(at, 4000, long)}\n`);
  writeFileSync(file, lines.join(''));
  const { lines: found, leftOut } = await readAudit(file, ALL, NOW_MS);
  t.is(found.at(-1), lines.at(-1)?.trim());
  t.true(found.join('').length <= 2 << 20);
  t.is(leftOut, `older lines of ${file} are not shown`);
});

test('a line is read again as it was written, and one of a newer agent as far as it is known', (t) => {
  const entry: AuditEntry = {
    time: '2027-01-15T08:00:00.000Z',
    node: 'haproxy01',
    event: 'ended',
    what: 'servers',
    who: { how: 'certificate', name: 'anna', role: 'admin', serial: 'A1' },
    from: '192.0.2.1:5',
    claimed: 'root',
    reason: 'r',
    requestId: 'id',
    dryRun: true,
    objects: ['a'],
    objectsCount: 30,
    args: { to: 'x', until_ms: 5, on: false },
    asked: [{ actor: 'a', requestId: 'i' }],
    askedCount: 2,
    outcome: 'partial',
    code: 'c',
    message: 'm',
    changed: false,
    nodes: [{ node: 'n', ok: true, changed: false, code: '' }],
    tookMs: 0,
    count: 4,
  };
  t.deepEqual(auditEntry(auditLine(entry)), entry);
  t.deepEqual(
    auditEntry(
      '{"time":"2027-01-15T08:00:00.000Z","node":"n","event":"born","what":"w","who":{"how":"oath"},"new":1}',
    ),
    {
      ...NOTHING,
      time: '2027-01-15T08:00:00.000Z',
      node: 'n',
      event: 'unknown',
      what: 'w',
    },
  );
});

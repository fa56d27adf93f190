import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { auditEntry } from '../../agent/core/audit/audit-lines.ts';
import { openAudit } from '../../agent/audit/audit.ts';
import { auditText } from '../../ctl/render/audit.ts';
import { FakeClock } from '../fake-clock.ts';

const SCRIPT = fileURLToPath(new URL('harmed.js', import.meta.url));

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-audit-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('an agent that is killed in an act: it has begun, nothing says that it ended, and the agent started again', async (t) => {
  const file = join(folderOf(t), 'audit.log');
  const child = spawn(process.execPath, [SCRIPT, 'begins', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  const gone = once(child, 'close');
  child.kill('SIGKILL');
  await gone;
  const audit = openAudit({
    node: 'haproxy01',
    file,
    syslog: { write: () => undefined, always: false },
    clock: new FakeClock(),
    problems: { raise: t.fail, clear: () => undefined },
  });
  audit.note({ event: 'started', what: 'proxyagent', who: { how: 'agent' } });
  const { lines } = await audit.lines({ sinceMs: null, who: '', limit: 100 });
  const entries = lines.flatMap((line) => auditEntry(line) ?? []);
  t.deepEqual(
    entries.map(({ event, what, requestId, outcome }) => [event, what, requestId, outcome]),
    [
      ['begun', 'servers', 'cut', ''],
      ['started', 'proxyagent', '', ''],
    ],
  );
  t.is(
    entries.map((entry) => auditText({ ...entry, time: '2027-01-15T08:00:00.000Z' })).join(''),
    `2027-01-15 08:00:00Z  haproxy01  begun     servers  WEB/web1 until_ms=7200000
          state=drain wait=kill
    by      anna (operator, certificate A1), from 192.0.2.7:50000, calls itself
            root, request cut
    reason  kernel update
2027-01-15 08:00:00Z  haproxy01  started   proxyagent
    by      the agent itself
`,
  );
});

/** What the child said where its directory is a file system of a few kilobytes; null: there can be none. */
async function full(t: ExecutionContext): Promise<Full | null> {
  const folder = join(folderOf(t), 'small');
  mkdirSync(folder);
  const script = 'mount -t tmpfs -o size=16k none "$1" && shift && exec "$@"';
  const argv = [process.execPath, SCRIPT, 'full', join(folder, 'audit.log')];
  const flags = process.getuid?.() === 0 ? '-m' : '-Urm';
  const child = spawn('unshare', [flags, 'sh', '-c', script, 'sh', folder, ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.on('error', () => undefined);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await once(child, 'close');
  return said === '' ? null : (JSON.parse(said) as Full);
}

interface Full {
  /** Acts that had begun when the first line did not fit. */
  readonly begun: number;
  readonly raised: readonly string[];
  readonly read: readonly string[];
  readonly after: readonly string[];
  readonly syslog: readonly string[];
}

test('a full disk: what fitted is shown, what did not is in syslog and counted once there is room', async (t) => {
  const said = await full(t);
  if (said === null) {
    t.log('not looked at: nothing can be mounted here');
    t.pass();
    return;
  }
  const { begun, raised, read, after, syslog } = said;
  t.regex(raised.join(), /^audit: .*: ENOSPC: .*; acts go on, and are in syslog alone$/);
  // The half of a line that had room is no line.
  const fitted = Array.from({ length: begun - 1 }, (_, at) => `begun r${at}`);
  t.deepEqual(read, [...fitted, ...raised]);
  t.deepEqual(after, [...fitted, `ended r${begun - 2}`, 'lost 1', `ended r${begun - 1}`]);
  t.deepEqual(syslog, [`begun r${begun - 1}`]);
});

import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openAudit } from '../../agent/audit/audit.ts';
import { problems } from '../../agent/problems.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { auditEntry } from '../../agent/core/audit/audit-lines.ts';
import { emptyResult } from '../rpc/world.ts';
import { ANNA, drain, header } from './callers.ts';

// An agent's audit log in a process of its own. `begins`: an act begins, and the process waits to
// be killed. `full`: the directory of the file is a few kilobytes, which acts fill; then there is
// room again, and the last two acts end. Prints one JSON line.
const [how = '', file = ''] = process.argv.slice(2);
const open = problems(systemClock, () => undefined);
const syslog: string[] = [];
const audit = openAudit({
  node: 'haproxy01',
  file,
  syslog: { write: (line) => syslog.push(line), always: false },
  clock: systemClock,
  problems: open,
});
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const act = (requestId: string): ReturnType<typeof audit.act> =>
  audit.act(ANNA, 'servers', { ...drain, header: { ...header, requestId } });
const raised = (): string[] => open.list().map(({ subject, cause }) => `${subject}: ${cause}`);

if (how === 'begins') {
  act('cut');
  say('begun');
  setInterval(() => undefined, 60_000);
} else {
  const ballast = join(dirname(file), 'ballast');
  writeFileSync(ballast, Buffer.alloc(8192));
  const ends: ReturnType<typeof audit.act>[] = [];
  for (let at = 0; raised().length === 0 && at < 1000; at++) ends.push(act(`r${at}`));
  const before = { begun: ends.length, raised: raised(), read: await read() };
  rmSync(ballast);
  for (const end of ends.slice(-2)) end({ ...emptyResult, error: null });
  say({ ...before, after: await read(), syslog: syslog.map((line) => named(line.slice(6))) });
}

/** What the log has: each line by its event, request and count. */
async function read(): Promise<string[]> {
  const { lines } = await audit.lines({ sinceMs: null, who: '', limit: 5000 });
  return [...lines.map((line) => named(line)), ...raised()];
}

function named(line: string): string {
  const entry = auditEntry(line);
  return `${entry?.event} ${entry?.requestId}${entry?.count === null ? '' : entry?.count}`;
}

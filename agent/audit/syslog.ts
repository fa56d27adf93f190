import { auditLine } from '../core/audit/audit-lines.ts';
import type { AuditEntry } from '../core/audit/audit.ts';

/** What syslogd(8) of every release takes whole, with its own head. */
const LONGEST = 900;
/** More than this nobody has read of what was written: its reader stands still. */
const MOST_WAITING = 1 << 20;

/** An entry for syslog: the same JSON, without what makes it too long. */
export function syslogText(entry: AuditEntry): string {
  const shorter: AuditEntry[] = [
    entry,
    { ...entry, objects: [], args: {}, asked: [] },
    { ...entry, objects: [], args: {}, asked: [], nodes: [], message: '', claimed: null },
  ];
  const texts = shorter.map((one) => `audit ${auditLine(one)}`);
  return texts.find((text) => text.length <= LONGEST) ?? (texts.at(-1) ?? '').slice(0, LONGEST);
}

/** Standard output, which daemon(8) gives to syslog(3) line by line; a reader that is gone or stands still stops nothing. */
export function toStandardOutput(): (line: string) => void {
  const { stdout } = process;
  stdout.on('error', () => undefined);
  return (line) => {
    if (stdout.writableLength < MOST_WAITING) stdout.write(`${line}\n`);
  };
}

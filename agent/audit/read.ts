import { auditEntry, isAbout } from '../core/audit/audit-lines.ts';
import type { AuditAsk } from '../core/audit/audit.ts';
import type { LinePage } from '../core/lines.ts';
import { linePage } from '../sys/line-page.ts';

/** The lines of an audit log that the ask is about; rejects with ActFailure where it cannot be read. */
export const readAudit = (file: string, ask: AuditAsk, wallMs: number): Promise<LinePage> =>
  linePage(
    file,
    {
      fromWallMs: ask.sinceMs === null ? null : wallMs - ask.sinceMs,
      limit: ask.limit,
      look(line) {
        const entry = auditEntry(line);
        if (entry === null) return null;
        const wanted = ask.who === '' || isAbout(entry, ask.who);
        return { wallMs: Date.parse(entry.time), wanted };
      },
    },
    'audit_unreadable',
  );

import type { AuditAsk } from '../core/audit/audit.ts';
import type { LinesAnswer } from '../core/lines.ts';
import { linesOfAll } from './lines.ts';
import type { Pair } from './pair.ts';

/** `audit`: who did what, from the audit log of every node. */
export const audit = (pair: Pair, ask: AuditAsk): Promise<LinesAnswer> =>
  linesOfAll(pair, pair.members, ask.limit, (member) => member.audit(ask));

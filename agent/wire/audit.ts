import type { proxyctl } from '../../proto/gen/messages.js';
import type { AuditAsk } from '../core/audit/audit.ts';
import { MOST_LINES } from '../core/lines.ts';
import { LENGTHS, short } from './bounds.ts';
import { uint32 } from './fields.ts';

/** Which lines are asked for, as it travels. */
export const auditAskToWire = ({
  sinceMs,
  who,
  limit,
}: AuditAsk): proxyctl.v1.AuditRequest.$Properties => ({
  sinceMs: sinceMs === null ? null : uint32(sinceMs),
  who,
  limit,
});

/** The same on arrival; none said is the most there can be. Throws WireError. */
export const auditAskFromWire = (wire: proxyctl.v1.AuditRequest): AuditAsk => ({
  sinceMs: wire.sinceMs ?? null,
  who: short('who', wire.who, LENGTHS.name),
  limit: wire.limit === 0 ? MOST_LINES : Math.min(MOST_LINES, wire.limit),
});

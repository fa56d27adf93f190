import type { proxyctl } from '../../proto/gen/messages.js';
import { MOST_AUDIT_LINES, type AuditAnswer, type AuditAsk } from '../core/audit/audit.ts';
import { LENGTHS, short } from './bounds.ts';
import { filled, uint32 } from './fields.ts';

/** So many characters of lines travel in one message, or one line. */
const PART = 512 << 10;

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
  limit: wire.limit === 0 ? MOST_AUDIT_LINES : Math.min(MOST_AUDIT_LINES, wire.limit),
});

/** Everything that was found, part by part. */
export function* auditAnswerToWire({
  node,
  nodes,
  lines,
}: AuditAnswer): Generator<proxyctl.v1.AuditReply.$Properties> {
  yield { node, nodes: [...nodes] };
  let part: { node: string; line: string }[] = [];
  let length = 0;
  for (const one of lines) {
    part.push(one);
    length += one.line.length;
    if (length < PART) continue;
    yield { node, lines: part };
    [part, length] = [[], 0];
  }
  if (part.length > 0) yield { node, lines: part };
}

/** All parts together; throws WireError. */
export const auditAnswerFromWire = (parts: readonly proxyctl.v1.AuditReply[]): AuditAnswer => ({
  node: filled('node', parts[0]?.node ?? ''),
  nodes: parts
    .flatMap(({ nodes }) => nodes)
    .map(({ node, problem, leftOut }, at) => ({
      node: filled(`nodes[${at}].node`, node),
      problem,
      leftOut,
    })),
  lines: parts.flatMap(({ lines }) => lines).map(({ node, line }) => ({ node, line })),
});

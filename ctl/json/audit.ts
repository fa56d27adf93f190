import { auditEntry, NOTHING } from '../../agent/core/audit/audit-lines.ts';
import type { AuditEntry } from '../../agent/core/audit/audit.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';

/** The `result` of `audit`. */
export interface AuditJson {
  readonly entries: readonly ReturnType<typeof entryJson>[];
  readonly left_out: readonly { readonly node: string; readonly reason: string }[];
}

/** What the lines say, the newest last; a line that says nothing is left out. */
export const entriesOf = ({ lines }: Pick<LinesAnswer, 'lines'>): AuditEntry[] =>
  lines.flatMap(({ node, line }) => {
    const entry = auditEntry(line);
    // Who gave it counts, not who it says it is of.
    return entry === null ? [] : [{ ...NOTHING, ...entry, node }];
  });

export const auditResult = (
  entries: readonly AuditEntry[],
  nodes: LinesAnswer['nodes'],
): AuditJson => ({
  entries: entries.map(entryJson),
  left_out: nodes
    .filter(({ leftOut }) => leftOut !== '')
    .map(({ node, leftOut }) => ({ node, reason: leftOut })),
});

const orNull = (text: string): string | null => (text === '' ? null : text);

const entryJson = (entry: AuditEntry) => ({
  time: entry.time,
  node: entry.node,
  event: entry.event,
  what: entry.what,
  who: whoJson(entry),
  from: orNull(entry.from),
  claimed: entry.claimed,
  reason: orNull(entry.reason),
  request_id: orNull(entry.requestId),
  dry_run: entry.dryRun,
  objects: entry.objects,
  objects_count: entry.objectsCount,
  args: Object.entries(entry.args).map(([name, value]) => ({ name, value })),
  asked: entry.asked.map(({ actor, requestId }) => ({ actor, request_id: orNull(requestId) })),
  asked_count: entry.askedCount,
  outcome: orNull(entry.outcome),
  code: orNull(entry.code),
  message: orNull(entry.message),
  changed: entry.changed,
  nodes: entry.nodes.map(({ node, ok, changed, code }) => ({
    node,
    ok,
    changed,
    code: orNull(code),
  })),
  took_ms: entry.tookMs,
  count: entry.count,
});

function whoJson({ who }: AuditEntry) {
  if (who === null) return null;
  const certificate = who.how === 'certificate' ? who : null;
  const socket = who.how === 'socket' ? who : null;
  return {
    how: who.how,
    name: certificate?.name ?? null,
    role: certificate?.role ?? socket?.role ?? null,
    serial: certificate?.serial ?? null,
    socket: socket?.socket ?? null,
    uid: socket?.uid ?? null,
    pid: socket?.pid ?? null,
  };
}

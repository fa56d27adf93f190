import { auditLine, NOTHING } from '../core/audit/audit-lines.ts';
import type { Audit, AuditAsk, AuditCaller, AuditEnd, AuditEntry } from '../core/audit/audit.ts';
import { actsOf, type AuditRefusal } from '../core/audit/audit.ts';
import type { LinePage } from '../core/lines.ts';
import type { Intent } from '../core/model.ts';
import { sentence, withoutPort } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { perMinute } from '../sys/per-minute.ts';
import { bounded, factsOf } from './facts.ts';
import { lineFile } from '../sys/line-file.ts';
import { readAudit } from './read.ts';
import { syslogText } from './syslog.ts';

/** Refusals of one caller a minute, each with a line of its own; handshakes of one address for one cause; readings. */
const MOST_REFUSALS = 10;
const MOST_HANDSHAKES = 1;
const MOST_READS = 30;
/** Calls of one peer a minute: what it does for others is a few, cutting sessions one a server. */
const MOST_PEER_CALLS = 300;
/** Rows of a push that are written, of all nodes. */
const MOST_CERTIFICATES = 20;

/** What the agent does by itself, for the record. */
export type AuditNote = Pick<AuditEntry, 'event' | 'what'> & Partial<AuditEntry>;

export interface AuditLog extends Audit {
  note(note: AuditNote): void;
  /** Decisions that a peer's gossip brought, because this node was away or has not been asked yet. */
  learnt(peer: string, decisions: readonly Pick<Intent, 'key' | 'actor' | 'requestId'>[]): void;
  /** Lines of this node; rejects with ActFailure. */
  lines(ask: AuditAsk): Promise<LinePage>;
  /** newsyslog(8) has moved the file away. */
  reopen(): void;
  /** Says what has been counted; call before exit. */
  close(): void;
}

/**
 * The audit log: one line of JSON for each act when it begins and when it ends, for each refusal,
 * and for what else somebody who looks into the past wants to know. What cannot be written to the
 * file goes to `syslog` and raises the problem `audit`.
 */
export function openAudit(options: {
  readonly node: string;
  /** Empty: none. */
  readonly file: string;
  /** Gets every line but readings; `always` false: only what the file does not take. */
  readonly syslog: { readonly write: (line: string) => void; readonly always: boolean };
  readonly clock: Clock;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
}): AuditLog {
  const { node, file, syslog, clock, problems } = options;
  const to = file === '' ? null : lineFile(file);
  const remedy = `make room (df ${file}), or mend its rights (ls -l ${file}): it is user's of agent.toml`;
  let lost = 0;

  const note = (given: AuditNote): void => {
    const entry = bounded({ ...NOTHING, time: timeOf(clock.wallMs()), node, ...given });
    const written = keep(entry);
    if (!written || (syslog.always && entry.event !== 'read')) syslog.write(syslogText(entry));
  };
  /** True: the file has it, or there is none. */
  const keep = (entry: AuditEntry): boolean => {
    if (to === null) return true;
    try {
      to.add(auditLine(entry));
    } catch (error) {
      lost += 1;
      const where = 'acts go on, and are in syslog alone';
      problems.raise('audit', `${file}: ${sentence(error)}; ${where}`, remedy);
      return false;
    }
    if (lost === 0) return true;
    const count = lost;
    lost = 0;
    problems.clear('audit');
    note({ event: 'lost', what: 'lines', count, message: 'they are in syslog alone' });
    return true;
  };

  /** One line for those that were not written one by one: whose the last was, unless of many. */
  const summed =
    (event: AuditEntry['event'], many: string, message = '') =>
    (last: (AuditCaller & { readonly what: string }) | null, count: number): void =>
      note({
        event,
        what: last?.what ?? many,
        who: last?.who ?? null,
        from: last?.from ?? '',
        message,
        count,
      });
  const refusals = perMinute<AuditRefusal>(clock, MOST_REFUSALS, (last, count) =>
    note({
      event: 'refused',
      what: last?.what ?? 'calls',
      who: last?.who ?? null,
      from: last?.from ?? '',
      code: last?.code ?? '',
      message: last === null ? 'of many callers' : `the last of them: ${last.message}`,
      count,
    }),
  );
  const handshakes = perMinute<{ source: string; cause: string }>(
    clock,
    MOST_HANDSHAKES,
    (last, count) =>
      note({
        event: 'handshake',
        what: 'connection',
        from: last?.source ?? '',
        message: last === null ? 'of many addresses' : last.cause,
        count,
      }),
  );
  type Call = AuditCaller & { readonly what: string };
  const reads = perMinute<Call>(clock, MOST_READS, summed('read', 'readings'));
  const tooMany = 'more calls of this node in one minute than are written one by one';
  const peerCalls = perMinute<Call>(clock, MOST_PEER_CALLS, summed('ended', 'calls', tooMany));
  const learnt = perMinute<Call>(clock, MOST_PEER_CALLS, summed('learnt', 'decisions'));

  /** Writes that it begins; what is returned, once, how it ended. */
  const begun = (about: Omit<AuditNote, 'event'>): ((end: AuditEnd) => void) => {
    const startMs = clock.nowMs();
    note({ ...about, event: 'begun' });
    let over = false;
    return (end) => {
      if (over) return;
      over = true;
      const tookMs = Math.round(clock.nowMs() - startMs);
      note({ ...about, ...endOf(end, about.args ?? {}), event: 'ended', tookMs });
    };
  };

  return {
    note,
    act(caller, what, act) {
      const { requestId, actor, reason, dryRun } = act.header;
      const claimed = actor === '' ? null : actor;
      return begun({ ...caller, what, requestId, claimed, reason, dryRun, ...factsOf(act) });
    },
    peerCall(caller, { what, objects = [], args = {}, asked = [], reason = '', dryRun = false }) {
      if (!peerCalls.passes(callerKey(caller), { ...caller, what })) return () => undefined;
      const objectsCount = objects.length;
      const askedCount = asked.length;
      const about = { objects, objectsCount, args, asked, askedCount, reason, dryRun };
      return begun({ ...caller, what, ...about });
    },
    refused({ who, from, what, code, message }) {
      const refusal = { who, from, what, code, message };
      const passes = refusals.passes(callerKey(refusal), refusal);
      if (passes) note({ ...refusal, event: 'refused' });
      return passes;
    },
    learnt(peer, decisions) {
      const who = { how: 'certificate', name: peer, role: 'node', serial: null } as const;
      const caller = { who, from: '' };
      const what = 'decisions';
      if (decisions.length === 0 || !learnt.passes(peer, { ...caller, what })) return;
      const objects = decisions.map(({ key }) => key);
      const asked = actsOf(decisions);
      const counts = { objectsCount: objects.length, askedCount: asked.length };
      note({ ...caller, event: 'learnt', what, objects, asked, ...counts });
    },
    read(caller, what, objects) {
      if (!reads.passes(callerKey(caller), { ...caller, what })) return;
      note({ ...caller, event: 'read', what, objects, objectsCount: objects.length });
    },
    handshakesRefused({ source, cause, count }) {
      if (handshakes.passes(`${source} ${cause}`, { source, cause }, count))
        note({ event: 'handshake', what: 'connection', from: source, message: cause, count });
    },
    lines: (ask) => (file === '' ? Promise.resolve(NO_FILE) : readAudit(file, ask, clock.wallMs())),
    reopen: () => to?.reopen(),
    close() {
      for (const one of [refusals, handshakes, reads, peerCalls, learnt]) one.flush();
    },
  };
}

const NO_FILE: LinePage = { lines: [], leftOut: 'log.audit in agent.toml is empty: no file' };

/** How it ended, with what of each certificate clients get now. */
function endOf(
  { outcome, changed, error, nodes, certificates }: AuditEnd,
  args: AuditEntry['args'],
): Partial<AuditEntry> {
  const served = certificates
    .slice(0, MOST_CERTIFICATES)
    .map((one, at) => [
      `certificate_${at + 1}`,
      `${one.fingerprint} ${one.outcome} ${one.node} ${one.path}`,
    ]);
  return {
    outcome,
    changed,
    code: error?.code ?? '',
    message: error?.message ?? '',
    nodes: nodes.map((one) => ({
      node: one.node,
      ok: one.ok,
      changed: one.changed,
      code: one.error?.code ?? '',
    })),
    args: { ...args, ...(Object.fromEntries(served) as AuditEntry['args']) },
  };
}

/** Callers that are one for the limits: a certificate, a socket, or else an address. */
function callerKey({ who, from }: AuditCaller): string {
  if (who.how === 'socket') return `socket ${who.socket}`;
  if (who.how === 'certificate' && who.serial !== null) return `serial ${who.serial}`;
  return `from ${withoutPort(from)}`;
}

const timeOf = (wallMs: number): string => new Date(wallMs).toISOString();

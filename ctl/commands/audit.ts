import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import {
  MOST_AUDIT_LINES,
  type AuditAnswer,
  type AuditEntry,
} from '../../agent/core/audit/audit.ts';
import { auditResult, entriesOf } from '../json/audit.ts';
import { AGENT, askedRow } from '../json/answer.ts';
import { envelopeText } from '../json/envelope.ts';
import { common, count, type Finish } from '../options.ts';
import { auditMissing, auditText } from '../render/audit.ts';
import { newRequestId, reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { pastMs } from '../times.ts';

/** Between two readings of --follow, ms. */
const FOLLOW_MS = 1000;
/** Asked for again each time, ms: clocks are set, and a line is written later than its time. */
const OVERLAP_MS = 30_000;
const MOST_KNOWN = 4 * MOST_AUDIT_LINES;

type AuditOptions = CommonOptions & {
  readonly since?: number;
  readonly who?: string;
  readonly limit: number;
  readonly follow: boolean;
};
type Told = { readonly requestId: string; readonly tookMs: number };

/** `proxyctl audit`. */
export function addAudit(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('audit')
      .summary('who did what: acts, refusals, logins that failed')
      .description(
        'Who did what, from the audit log of every node, the newest last: acts when they began ' +
          'and ended, refusals, connections that were not let in, revocations, reloads. A ' +
          'certificate proves who it was; whoever comes over a unix socket only says so. Needs ' +
          'the role operator. Exit 6 where a node did not answer.',
      ),
  )
    .optionsGroup('Options:')
    .option('--since <TIME>', 'not older: 2h, 08:00, or a date with time', (text: string) => {
      const ms = pastMs(text, Date.now());
      if (ms === null)
        throw new InvalidArgumentError('Give 2h, 08:00 or 2027-01-31T18:00:00Z, in the past.');
      return ms;
    })
    .option('--who <NAME>', "a certificate's name; what somebody claimed to be is shown too", '')
    .option('--limit <N>', 'the newest so many (100; 0: all that are read)', count, 100)
    .option('--follow', 'go on: what happens from now on, until Ctrl-C', false)
    .action(async (options: AuditOptions) => {
      const limit = options.limit === 0 ? MOST_AUDIT_LINES : options.limit;
      const ask = { who: options.who ?? '', limit: Math.min(limit, MOST_AUDIT_LINES) };
      finish(
        await reading(
          'audit',
          options,
          io,
          async (agent) => {
            const first = await agent.audit({ ...ask, sinceMs: options.since ?? null });
            if (!options.follow) return first;
            const fresh = unseen();
            shown(options, io, first, fresh(entriesOf(first)), told(0));
            for (let completeMs = performance.now(); ;) {
              await sleep(FOLLOW_MS);
              const startedMs = performance.now();
              const sinceMs = startedMs - completeMs + OVERLAP_MS;
              const next = await agent.audit({ ...ask, limit: MOST_AUDIT_LINES, sinceMs });
              if (next.nodes.every(({ problem }) => problem === '')) completeMs = startedMs;
              const entries = fresh(entriesOf(next));
              if (entries.length > 0) shown(options, io, next, entries, told(startedMs));
            }
          },
          (answer, facts) => shown(options, io, answer, entriesOf(answer), facts),
        ),
      );
    });
}

const told = (startedMs: number): Told => ({
  requestId: newRequestId(),
  tookMs: startedMs === 0 ? 0 : performance.now() - startedMs,
});

/** Entries that were not given before, of the newest MOST_KNOWN. */
function unseen(): (entries: readonly AuditEntry[]) => AuditEntry[] {
  const known = new Set<string>();
  return (entries) => {
    const fresh = entries.filter((entry) => {
      const key = JSON.stringify(entry);
      return !known.has(key) && known.add(key);
    });
    for (const key of known) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(key);
    }
    return fresh;
  };
}

/** Prints what was found; the exit code. */
function shown(
  options: AuditOptions,
  io: Streams,
  { node, nodes }: AuditAnswer,
  entries: readonly AuditEntry[],
  { requestId, tookMs }: Told,
): number {
  const all = nodes.every(({ problem }) => problem === '');
  if (options.output === 'json')
    io.out(
      envelopeText({
        verb: 'audit',
        ok: all,
        changed: false,
        requestId,
        answeredBy: node,
        tookMs,
        result: auditResult(entries, nodes),
        nodes: nodes.map((one) => askedRow(one, 'audit_unknown', AGENT)),
        error: null,
        incomplete: all ? [] : ['nodes'],
      }),
    );
  else {
    const text = `${entries.map(auditText).join('')}${auditMissing({ nodes })}`;
    io.out(text === '' ? 'Nothing is on record for that.\n' : text);
  }
  return all ? 0 : 6;
}

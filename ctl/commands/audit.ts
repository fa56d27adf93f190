import type { Command } from 'commander';
import type { AuditEntry } from '../../agent/core/audit/audit.ts';
import { MOST_LINES, type LinesAnswer } from '../../agent/core/lines.ts';
import { auditResult, entriesOf } from '../json/audit.ts';
import { ago, common, count, type Finish } from '../options.ts';
import { auditText } from '../render/audit.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { follow, type Told } from './follow.ts';
import { shownLines } from './lines.ts';

type AuditOptions = CommonOptions & {
  readonly since?: number;
  readonly who?: string;
  readonly limit: number;
  readonly follow: boolean;
};

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
    .option('--since <TIME>', 'not older: 2h, 08:00, or a date with time', ago)
    .option('--who <NAME>', "a certificate's name; what somebody claimed to be is shown too", '')
    .option('--limit <N>', 'the newest so many (100; 0: all that are read)', count, 100)
    .option('--follow', 'go on: what happens from now on, until Ctrl-C', false)
    .action(async (options: AuditOptions) => {
      const limit = options.limit === 0 ? MOST_LINES : options.limit;
      const ask = { who: options.who ?? '', limit: Math.min(limit, MOST_LINES) };
      finish(
        await reading(
          'audit',
          options,
          io,
          async (agent) => {
            const first = await agent.audit({ ...ask, sinceMs: options.since ?? null });
            if (!options.follow) return first;
            return follow(
              first,
              (sinceMs) => agent.audit({ ...ask, limit: MOST_LINES, sinceMs }),
              entriesOf,
              (entry) => JSON.stringify(entry),
              (answer, entries, facts) => shown(options, io, answer, entries, facts),
            );
          },
          (answer, facts) => shown(options, io, answer, entriesOf(answer), facts),
        ),
      );
    });
}

/** Prints what was found; the exit code. */
const shown = (
  options: AuditOptions,
  io: Streams,
  answer: LinesAnswer,
  entries: readonly AuditEntry[],
  told: Told,
): number =>
  shownLines('audit', options, io, answer, told, {
    result: auditResult(entries, answer.nodes),
    text: entries.map(auditText).join(''),
  });

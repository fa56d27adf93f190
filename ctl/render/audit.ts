import type { AuditEntry } from '../../agent/core/audit/audit.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';
import { wrapped } from './wrapped.ts';

/** One entry on two lines or more: when and where, who and what; then how it went. */
export function auditText(entry: AuditEntry): string {
  const { time, node, event, what, message, reason } = entry;
  const head = `${time.replace('T', ' ').slice(0, 19)}Z  ${node}  ${event.padEnd(9)} ${what}`;
  const count = entry.count === null || entry.count === 1 ? '' : ` (${entry.count} times)`;
  const lines = [
    wrapped(`${head}${count}${about(entry)}`),
    wrapped(`    by      ${byWhom(entry)}`, 12),
  ];
  if (reason !== '') lines.push(wrapped(`    reason  ${reason}`, 12));
  const ended = outcome(entry);
  if (ended !== '') lines.push(wrapped(`    ended   ${ended}`, 12));
  if (message !== '') lines.push(wrapped(`    said    ${message}`, 12));
  return `${lines.join('\n')}\n`;
}

function about({ objects, objectsCount, args, dryRun }: AuditEntry): string {
  const more = objectsCount > objects.length ? [`and ${objectsCount - objects.length} more`] : [];
  const words = Object.entries(args).map(([name, value]) => `${name}=${String(value)}`);
  const all = [...objects, ...more, ...words, ...(dryRun ? ['--dry-run'] : [])];
  return all.length === 0 ? '' : `  ${all.join(' ')}`;
}

/** Who it was, and apart from that who they say they are. */
function byWhom({ who, from, claimed, requestId, asked, askedCount }: AuditEntry): string {
  const parts = [doorOf(who)];
  if (from !== '' && who?.how !== 'socket') parts.push(`from ${from}`);
  if (claimed !== null) parts.push(`calls itself ${claimed}`);
  if (asked.length > 0) {
    const more = askedCount > asked.length ? ` and ${askedCount - asked.length} more` : '';
    const named = asked.map(
      (one) => `${one.actor}${one.requestId === '' ? '' : ` ${one.requestId}`}`,
    );
    parts.push(`for ${named.join(', ')}${more}, as it says`);
  }
  if (requestId !== '') parts.push(`request ${requestId}`);
  return parts.join(', ');
}

function doorOf(who: AuditEntry['who']): string {
  if (who === null) return 'nobody that is known';
  switch (who.how) {
    case 'certificate': {
      const serial = who.serial === null ? '' : `, certificate ${who.serial}`;
      return `${who.name ?? 'no name of this pair'} (${who.role ?? 'no role'}${serial})`;
    }
    case 'socket':
      return `somebody at ${who.socket} (${who.role}, uid ${who.uid ?? 'not known'})`;
    case 'agent':
      return 'the agent itself';
    case 'signal':
      return 'a signal';
  }
}

function outcome({ outcome: word, code, changed, nodes, tookMs }: AuditEntry): string {
  if (word === '') return code;
  const rows = nodes.map(({ node, ok, code: why }) => `${node} ${ok ? 'ok' : why}`);
  return [
    word,
    ...(code === '' ? [] : [code]),
    ...(changed === null ? [] : [changed ? 'changed' : 'unchanged']),
    ...(tookMs === null ? [] : [`${tookMs} ms`]),
    ...rows,
  ].join(', ');
}

/** What is missing of an answer, a line each; empty: nothing. */
export const linesMissing = ({ nodes }: Pick<LinesAnswer, 'nodes'>): string =>
  nodes
    .flatMap(({ node, problem, leftOut }) => [
      ...(problem === '' ? [] : [`missing   ${node}: ${problem}`]),
      ...(leftOut === '' ? [] : [`left out  ${node}: ${leftOut}`]),
    ])
    .map((line) => `${wrapped(line)}\n`)
    .join('');

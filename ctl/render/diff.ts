import type { Certificates } from '../../agent/core/answers.ts';
import { namesOf, type CertificateDifference } from '../../agent/core/certs/certificate-diff.ts';
import { table } from './table.ts';
import { columns } from './width.ts';
import { wrapped } from './wrapped.ts';

/** The screen of `proxyctl diff`: nodes that did not answer, then each certificate that differs. */
export function certificateDiffScreen(
  nodes: Certificates['nodes'],
  differences: readonly CertificateDifference[],
): string {
  const answered = nodes.filter(({ problem }) => problem === '');
  const away = nodes.flatMap(({ node, problem }) =>
    problem === '' ? [] : [wrapped(`not compared   ${node}: ${problem}`)],
  );
  const on = answered.map(({ node }) => node).join(', ');
  const count = namesOf(answered).length;
  const head =
    answered.length < 2
      ? `certificates: nothing to compare, only ${on === '' ? 'no node' : on} answered`
      : differences.length === 0
        ? `certificates: ${count} the same on ${on}`
        : `certificates: ${differences.length} of ${count} differ between ${on}`;
  return `${[...away, wrapped(head, 2), ...differences.map(block)].join('\n')}\n`;
}

function block({ name, where, nodes }: CertificateDifference): string {
  const rows = nodes.map(({ node, has }) =>
    has === null
      ? [node, 'none', 'none', 'none', '-']
      : [node, short(has.disk), short(has.memory), short(has.served), has.notAfter.slice(0, 10)],
  );
  const problems = nodes.flatMap(({ node, has }) =>
    has === null || has.problem === '' ? [] : [wrapped(`  ${node}: ${has.problem}`, 4)],
  );
  const shown = table(['NODE', 'DISK', 'MEMORY', 'CLIENT', 'ENDS'], rows, {
    columns: columns() - 2,
  });
  return [
    '',
    wrapped(`${name}: ${where.join(', ')}`, 2),
    ...shown.split('\n').map((line) => `  ${line}`),
    ...problems,
  ].join('\n');
}

const short = (fingerprint: string | null): string => fingerprint?.slice(0, 12) ?? '?';

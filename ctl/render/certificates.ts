import type { Certificates } from '../../agent/core/answers.ts';
import { daysLeft, type CertificateFinding } from '../../agent/core/certs/certificates.ts';
import { certificateKey } from '../../agent/core/intents.ts';
import { notVerified } from '../../agent/core/certs/listener-check.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

/** Every certificate of every node; in memory, on disk and as clients get it. */
export function certificateScreen({ nodes, intents }: Certificates, wallMs: number): string {
  const rows = nodes.flatMap(({ node, problem, certificates }) =>
    problem !== ''
      ? [['?', node, 'not asked', '?', '?', '?', '?', '?']]
      : certificates.map((one) => {
          const by = intents.find(({ key }) => key === certificateKey(one.name));
          return [
            one.name,
            node,
            (one.memory ?? '?').slice(0, 12),
            compared(one.disk, one.memory),
            compared(one.served, one.memory),
            one.notAfter.slice(0, 10),
            String(daysLeft(Date.parse(one.notAfter), wallMs)),
            by?.actor ?? '-',
          ];
        }),
  );
  const head = ['NAME', 'NODE', 'MEMORY', 'DISK', 'CLIENT', 'ENDS', 'DAYS', 'BY'];
  const screen = table(head, rows.toSorted(byName), { right: [6], columns: 'fits' });
  return [screen, ...nameLines(nodes), ...renewalLines(nodes)].join('\n');
}

/** What each covers and who issued it; once where the nodes agree. */
function nameLines(nodes: Certificates['nodes']): string[] {
  const lines = nodes.flatMap(({ certificates }) =>
    certificates.map(({ name, names, issuer }) => {
      const by = issuer === undefined ? '' : `, issued by ${issuer}`;
      const more = names.length > NAMES ? ` and ${names.length - NAMES} more` : '';
      return wrapped(`${name}: ${names.slice(0, NAMES).join(', ') || 'no names'}${more}${by}`, 2);
    }),
  );
  return [...new Set(lines)].sort();
}
const NAMES = 5;

/** One certificate after the other, with a line for each thing that is known of it on a node. */
export function certificateBlocks({ nodes, intents }: Certificates, wallMs: number): string {
  const blocks = nodes.flatMap(({ node, problem, certificates }) =>
    problem !== ''
      ? [`${node}: not asked`]
      : certificates.map((one) => {
          const by = intents.find(({ key }) => key === certificateKey(one.name));
          const days = daysLeft(Date.parse(one.notAfter), wallMs);
          const rows: (readonly [string, string])[] = [
            ['file', one.path],
            ['names', one.names.join(', ') || '-'],
            ['issuer', one.issuer ?? '?'],
            ['ends', `${one.notAfter}, ${days < 0 ? 'it has ended' : `${days} d`}`],
            ['memory', one.memory ?? '?'],
            ['disk', one.disk ?? '?'],
            ['clients', one.served ?? '?'],
            ['before', one.previous ?? 'nothing to roll back to'],
            ...(by === undefined ? [] : [['pushed', `by ${by.actor}`] as const]),
            ...(one.renewal === '' ? [] : [['renewal', one.renewal.slice(0, 10)] as const]),
          ];
          const lines = rows.map(([word, text]) => wrapped(`  ${word.padEnd(8)} ${text}`, 11));
          return [`${one.name} on ${node}`, ...lines].join('\n');
        }),
  );
  return blocks.join('\n\n');
}

/** When the agents order each anew; the same on every node unless their certificates differ. */
function renewalLines(nodes: Certificates['nodes']): string[] {
  const all = nodes.flatMap(({ certificates }) => certificates);
  const lines = all
    .filter(({ renewal }) => renewal !== '')
    .map(({ name, renewal }) =>
      wrapped(`${name}: ordered anew by the agents after ${renewal.slice(0, 10)}`, 2),
    );
  return [...new Set(lines)].sort();
}

/** One line for each finding, and for each node that could not be asked. */
export const findingLines = (
  { nodes }: Certificates,
  findings: readonly CertificateFinding[],
): string[] => [
  ...nodes.flatMap(({ node, problem }) =>
    problem === '' ? [] : [wrapped(`${node}: ${problem}`, 2)],
  ),
  ...nodes.flatMap(({ node, certificates }) =>
    certificates.flatMap(({ name, checks }) =>
      notVerified(checks).map((why) => wrapped(`${node}: ${name}: not verified: ${why}`, 2)),
    ),
  ),
  ...findings.map(({ node, name, text }) => wrapped(`${node}: ${name}: ${text}`, 2)),
];

const compared = (there: string | null, memory: string | null): string =>
  there === null ? '?' : there === memory ? 'same' : 'other';

const byName = (a: readonly string[], b: readonly string[]): number =>
  `${a[0]} ${a[1]}` < `${b[0]} ${b[1]}` ? -1 : 1;

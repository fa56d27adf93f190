import type { Certificates, InspectedCertificate } from '../answers.ts';

/**
 * Where a certificate differs; `missing`: a node has none of that name; `bundle`: key or chain on
 * disk, behind the same leaf; `unread`: a node cannot tell.
 */
type DifferentWhere = 'missing' | 'disk' | 'bundle' | 'memory' | 'served' | 'unread';

/** One certificate that is not the same on every node that answered. */
export interface CertificateDifference {
  readonly name: string;
  readonly where: readonly DifferentWhere[];
  /** Every node that answered; null: it has no certificate of that name. */
  readonly nodes: readonly { readonly node: string; readonly has: InspectedCertificate | null }[];
}

const PLACES = ['disk', 'memory', 'served'] as const;
type Compared = (typeof PLACES)[number] | 'sha256';

/**
 * What differs between the nodes, by name. Nodes that did not answer are left
 * out, and of one node alone nothing can differ. Disk and memory of one node
 * are not compared with each other: `cert verify` does.
 */
export function certificateDifferences(nodes: Certificates['nodes']): CertificateDifference[] {
  const answered = nodes.filter(({ problem }) => problem === '');
  if (answered.length < 2) return [];
  return namesOf(answered).flatMap((name) => {
    const rows = answered.map(({ node, certificates }) => ({
      node,
      has: certificates.find((one) => one.name === name) ?? null,
    }));
    const there = rows.flatMap(({ has }) => (has === null ? [] : [has]));
    const differs = (what: Compared): boolean => new Set(there.map((one) => one[what])).size > 1;
    const where: DifferentWhere[] = [
      ...(there.length < rows.length ? ['missing' as const] : []),
      ...PLACES.filter(differs),
      ...(differs('sha256') && !differs('disk') ? ['bundle' as const] : []),
      ...(there.some(({ problem }) => problem !== '') ? ['unread' as const] : []),
    ];
    return where.length === 0 ? [] : [{ name, where, nodes: rows }];
  });
}

/** Every name that some node has, sorted. */
export const namesOf = (nodes: Certificates['nodes']): string[] =>
  [...new Set(nodes.flatMap(({ certificates }) => certificates.map(({ name }) => name)))].sort();

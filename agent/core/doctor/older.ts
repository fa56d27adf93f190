import type { Found } from './finding.ts';
import type { Pairwise } from './inspection.ts';

/** Where nobody can look for older HAProxy processes, sessions may be there that no verb counts. */
export const unseenOlder = (_: readonly unknown[], { uncounted }: Pairwise): Found[] =>
  uncounted.map(({ node, cause, remedy }) => ({
    id: 'not-seen',
    about: `older processes ${cause}`,
    severity: 'unknown',
    address: null,
    nodes: [node],
    saw: [`${node}: could not look for older HAProxy processes: ${cause}`],
    why: 'Sessions that a reload has left there are not counted: drain --wait ends with 6.',
    do: [{ node, file: null, line: null, text: remedy }],
  }));

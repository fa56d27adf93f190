import type { NodeStatus, Status } from './answers.ts';

/** Heard and fresh: its values may be shown as present. */
export const isHeard = ({ report, problem }: NodeStatus): boolean =>
  report !== null && problem === '';

/** Every address any node reports, in order of vhid. */
export const addressIds = ({ nodes }: Pick<Status, 'nodes'>): string[] =>
  [
    ...new Set(
      nodes.flatMap(({ report }) => (report?.addresses ?? []).map(({ address }) => address)),
    ),
  ].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));

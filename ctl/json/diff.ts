import type { CertificateDifference } from '../../agent/core/certs/certificate-diff.ts';

/** The `result` of `diff`. */
export interface DiffJson {
  readonly certificates: readonly {
    readonly name: string;
    readonly where: readonly string[];
    readonly nodes: readonly {
      readonly node: string;
      readonly path: string | null;
      readonly disk: string | null;
      readonly memory: string | null;
      readonly served: string | null;
      readonly not_after: string | null;
      readonly problem: string | null;
    }[];
  }[];
}

/** Only what differs. */
export const diffResult = (differences: readonly CertificateDifference[]): DiffJson => ({
  certificates: differences.map(({ name, where, nodes }) => ({
    name,
    where,
    nodes: nodes.map(({ node, has }) => ({
      node,
      path: has?.path ?? null,
      disk: has?.disk ?? null,
      memory: has?.memory ?? null,
      served: has?.served ?? null,
      not_after: has?.notAfter ?? null,
      problem: has === null || has.problem === '' ? null : has.problem,
    })),
  })),
});

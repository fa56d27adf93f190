import type { CertificateDifference } from '../../agent/core/certificate-diff.ts';

/** One certificate of the `result` of diff. */
export const differenceResult = ({ name, where, nodes }: CertificateDifference): unknown => ({
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
});

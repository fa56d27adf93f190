import type { DoctorAnswer } from '../../agent/core/doctor/finding.ts';

/** The `result` of doctor. */
export const doctorResult = ({ findings }: DoctorAnswer): unknown => ({
  findings: findings.map(({ id, severity, address, nodes, saw, why, do: remedies }) => ({
    id,
    severity,
    address,
    nodes,
    saw,
    why,
    do: remedies.map(({ node, file, line, text }) => ({ node, file, line, text })),
  })),
});

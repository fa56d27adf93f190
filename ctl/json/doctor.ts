import type { DoctorAnswer } from '../../agent/core/doctor/finding.ts';

/** The `result` of `doctor`. */
export interface DoctorJson {
  readonly findings: readonly {
    readonly id: string;
    readonly severity: string;
    readonly address: string | null;
    readonly nodes: readonly string[];
    readonly saw: readonly string[];
    readonly why: string;
    readonly do: readonly {
      readonly node: string;
      readonly file: string | null;
      readonly line: string | null;
      readonly text: string;
    }[];
  }[];
  readonly notes: readonly string[];
}

/** The worst first, as the agent gives them; lines are whole. */
export const doctorResult = ({ findings, notes }: DoctorAnswer): DoctorJson => ({
  findings: findings.map(({ id, severity, address, nodes, saw, why, do: remedies }) => ({
    id,
    severity,
    address,
    nodes,
    saw,
    why,
    do: remedies.map(({ node, file, line, text }) => ({ node, file, line, text })),
  })),
  notes,
});

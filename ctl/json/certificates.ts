import type { ActResult } from '../../agent/core/results.ts';
import type { Certificates } from '../../agent/core/answers.ts';
import { daysLeft, type CertificateFinding } from '../../agent/core/certificates.ts';

/** The `result` of cert push and cert rollback. */
export const certificatesResult = ({ certificates }: ActResult): unknown => ({
  certificates: certificates.map((one) => ({
    node: one.node,
    path: one.path,
    fingerprint_before: one.fingerprintBefore,
    fingerprint: one.fingerprint,
    not_after: one.notAfter,
    names: one.names,
    outcome: one.outcome,
  })),
});

/** The `result` of cert list and cert verify; `wallMs` is now, for the days that are left. */
export const certificateListResult = (
  { nodes, intents }: Certificates,
  findings: readonly CertificateFinding[],
  wallMs: number,
): unknown => ({
  certificates: nodes.flatMap(({ node, certificates }) =>
    certificates.map((one) => ({
      node,
      name: one.name,
      path: one.path,
      memory: one.memory,
      disk: one.disk,
      served: one.served,
      sha256: one.sha256,
      not_after: one.notAfter,
      days_left: daysLeft(Date.parse(one.notAfter), wallMs),
      names: one.names,
      previous: one.previous,
      renewal: one.renewal === '' ? null : one.renewal,
      problem: one.problem === '' ? null : one.problem,
    })),
  ),
  decided: intents.map(({ key, value, actor, reason, stamp }) => ({
    name: key.slice(key.indexOf('/') + 1),
    sha256: value,
    actor,
    reason,
    since: new Date(stamp.wallMs).toISOString(),
  })),
  findings: findings.map(({ id, node, name, text }) => ({ id, node, name, text })),
});

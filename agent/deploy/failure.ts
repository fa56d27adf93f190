import type { DeployAnswer } from '../core/deploy/deployments.ts';
import { ActFailure, type ActError, type Outcome } from '../core/results.ts';

/** Builds the refusals of one node's part of a push. */
export const failure = (
  outcome: Outcome,
  code: string,
  message: string,
  more: Partial<ActError> = {},
): ActFailure => new ActFailure(outcome, { ...more, code, message });

/** So many lines of a check are the cause; those with an alarm first. */
const MOST_LINES = 5;

/** Why a node does not take a configuration, in the operator's words. */
export function refusedBy(
  node: string,
  answer: Exclude<DeployAnswer, { readonly kind: 'done' }>,
): ActFailure {
  const { kind, why } = answer;
  if (kind === 'unsound') {
    const alarms = answer.lines.filter((line) => line.includes('[ALERT]'));
    const lines = (alarms.length > 0 ? alarms : answer.lines).slice(0, MOST_LINES);
    return failure('failed', 'config_unsound', `HAProxy on ${node} does not take it: ${why}`, {
      cause: lines.join('; '),
      remediation: 'mend what the lines name: proxyctl config check has all of them',
    });
  }
  const outcome = kind === 'unknown' ? 'result-unknown' : 'failed';
  return failure(outcome, `config_${kind}`, `${node} does not take it: ${why}`, {
    retryable: kind !== 'refused',
  });
}

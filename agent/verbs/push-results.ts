import type { ActHeader } from '../core/acts.ts';
import type { ActResult, CertificateOutcome, NodeOutcome } from '../core/results.ts';
import { ALREADY_THERE, type SwapReading } from '../core/certs/swap-messages.ts';
import { away, failed, result, type Pair } from './pair.ts';
import type { SwapRun } from './swap.ts';

export const fine = (node: string, changed: boolean): NodeOutcome => ({
  node,
  ok: true,
  changed,
  error: null,
});

/** One row for each certificate of each node. */
export const certificatesOf = (
  readings: ReadonlyMap<string, SwapReading>,
  outcome: CertificateOutcome['outcome'],
): CertificateOutcome[] =>
  [...readings.values()].flatMap(({ node, certificates }) =>
    certificates.map((one) => ({
      node,
      path: one.path,
      fingerprintBefore: one.fingerprintBefore,
      fingerprint: one.fingerprint,
      notAfter: one.notAfter,
      names: one.names,
      ...(one.checks === undefined ? {} : { checks: one.checks }),
      outcome: one.warnings.includes(ALREADY_THERE) ? ('already' as const) : outcome,
    })),
  );

interface Ended {
  readonly run: SwapRun;
  /** Configured nodes that took no part. */
  readonly missing: readonly string[];
  /** Nothing had to be changed on any node. */
  readonly already: boolean;
}

/** What an operator reads of a swap that has ended. */
export function swapResult(
  pair: Pair,
  header: ActHeader,
  startedAtMs: number,
  { run, missing, already }: Ended,
): ActResult {
  const { state, committed, failures } = run;
  const broken = state.broken === null ? undefined : failures.get(state.broken);
  const rows = (changed: boolean): NodeOutcome[] =>
    state.order.map((node) => {
      const failure = failures.get(node);
      return failure === undefined ? fine(node, changed) : failed(node, failure);
    });
  switch (state.end) {
    case 'swapped':
      return result(pair, header, startedAtMs, {
        outcome: missing.length > 0 ? 'partial' : 'reached',
        changed: !already,
        nodes: [...state.order.map((node) => fine(node, !already)), ...missing.map(away)],
        certificates: certificatesOf(committed, 'swapped'),
      });
    case 'stands':
      return result(pair, header, startedAtMs, {
        outcome: 'partial',
        changed: true,
        error: {
          code: 'peer_lost',
          cause: '',
          retryable: false,
          ...broken?.detail,
          message: `${state.broken} was lost before it confirmed; the new certificate is served elsewhere`,
          remediation: `it is brought to it when it is back: proxyctl cert verify`,
        },
        nodes: [...rows(true), ...missing.map(away)],
        certificates: certificatesOf(committed, 'swapped'),
      });
    case 'refused':
    case 'rolled-back':
    case 'stuck':
    case null: {
      if (state.end === 'refused' && broken?.outcome === 'result-unknown')
        return result(pair, header, startedAtMs, {
          outcome: 'unreachable',
          error: {
            code: 'agent_unreachable',
            message: `not pushed: the agent on ${state.broken} did not answer, and nothing was changed`,
            cause: broken.detail.message,
            remediation: `on ${state.broken}: service proxyagent status; then push again`,
            retryable: true,
          },
          nodes: rows(false),
        });
      const detail = broken?.detail;
      const names = state.lost.join(', ');
      const stuck = state.end === 'stuck' || state.end === null;
      // Before the first commit a refusal is told in its own words.
      const before = isNew(run) ? 'it was taken out' : 'the old certificate is back';
      const own =
        state.end === 'refused' && committed.size === 0 && run.prepared.size < state.order.length;
      return result(pair, header, startedAtMs, {
        outcome: stuck ? 'result-unknown' : own ? (broken?.outcome ?? 'failed') : 'failed',
        changed: stuck,
        error: {
          code: detail?.code ?? 'failed',
          cause: (detail?.cause ?? '') || (own ? '' : (detail?.message ?? '')),
          remediation: stuck
            ? `they are put back as soon as they answer: proxyctl cert verify`
            : (detail?.remediation ?? ''),
          retryable: detail?.retryable ?? false,
          message: stuck
            ? `not pushed, and ${names} could not be put back`
            : own
              ? (detail?.message ?? 'not pushed')
              : `not pushed: ${state.broken} refused, ${before} everywhere`,
        },
        nodes: rows(false),
        certificates: certificatesOf(committed, 'rolled-back'),
      });
    }
  }
}

/** It was not there before, on any node. */
const isNew = ({ prepared }: SwapRun): boolean =>
  [...prepared.values()].every(({ certificates }) =>
    certificates.every(({ fingerprintBefore }) => fingerprintBefore === ''),
  );

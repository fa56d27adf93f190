import type { ActHeader } from '../core/acts.ts';
import type { ActResult, NodeOutcome, PushedConfig } from '../core/results.ts';
import type { PushRun } from './config-push-run.ts';
import { failed, result, type Pair } from './pair.ts';

/** What an operator reads of a push that has ended. */
export function pushedResult(
  pair: Pair,
  header: ActHeader,
  startedAtMs: number,
  { state, prepared, failures }: PushRun,
): ActResult {
  const { order, done, broken, lost, end } = state;
  const why = broken === null ? undefined : failures.get(broken);
  const already = (node: string): boolean => prepared.get(node)?.already === true;
  const rows = (changed: (node: string) => boolean): NodeOutcome[] =>
    order.map((node) => {
      const failure = failures.get(node);
      return failure === undefined
        ? { node, ok: true, changed: changed(node), error: null }
        : failed(node, failure);
    });
  const config = (outcome: PushedConfig['nodes'][number]['outcome']): PushedConfig => ({
    number: [...prepared.values()][0]?.number ?? 0,
    nodes: order.map((node) => ({
      node,
      outcome: already(node) ? 'already' : lost.includes(node) ? 'failed' : outcome,
    })),
  });
  const isNew = (node: string): boolean => done.includes(node) && !already(node);
  switch (end) {
    case 'pushed':
      return result(pair, header, startedAtMs, {
        outcome: 'reached',
        changed: !order.every(already),
        nodes: rows(isNew),
        config: config('installed'),
      });
    case 'stands':
      return result(pair, header, startedAtMs, {
        outcome: 'partial',
        changed: true,
        error: {
          code: 'peer_lost',
          cause: why?.detail.message ?? '',
          retryable: false,
          message: `${broken} was lost before it confirmed; the others have the new configuration`,
          remediation: 'it is brought to it when it is back: proxyctl config history',
        },
        nodes: rows(isNew),
        config: config('installed'),
      });
    case 'refused':
      return result(pair, header, startedAtMs, {
        // Whoever did not answer has changed nothing.
        outcome: why === undefined || why.outcome === 'result-unknown' ? 'failed' : why.outcome,
        error: why?.detail ?? null,
        nodes: rows(() => false),
      });
    case 'rolled-back':
    case 'stuck':
    case null: {
      const stuck = end !== 'rolled-back';
      return result(pair, header, startedAtMs, {
        outcome: stuck ? 'result-unknown' : 'failed',
        changed: stuck,
        error: {
          code: why?.detail.code ?? 'failed',
          cause: [why?.detail.message ?? '', why?.detail.cause ?? '']
            .filter((text) => text !== '')
            .join(': '),
          remediation: stuck
            ? 'it is put back as soon as that is possible: proxyctl config history'
            : (why?.detail.remediation ?? ''),
          retryable: why?.detail.retryable ?? false,
          message: stuck
            ? `not pushed, and ${lost.join(', ')} did not confirm that it is as before`
            : `not pushed: ${broken} refused, every node has its old configuration`,
        },
        nodes: rows(() => false),
        config: config('rolled-back'),
      });
    }
  }
}

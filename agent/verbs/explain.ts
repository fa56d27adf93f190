import { explainAddress } from '../core/decide/explain.ts';
import type { ExplainAnswer } from '../core/answers.ts';
import { isPaused } from '../core/decide/candidates.ts';
import type { View } from '../core/decide/view.ts';
import { addressesOf } from './addresses.ts';
import type { Pair } from './pair.ts';

/** `explain`: from memory, nothing is asked of anybody. Throws ActFailure for an address nobody has. */
export function explain(
  pair: Pair,
  view: View | null,
  addresses: readonly string[],
): ExplainAnswer {
  const nowMs = pair.clock.nowMs();
  const self = pair.view().find(({ node }) => node === pair.node)?.report ?? null;
  const ids = addressesOf(pair, addresses).map(({ id }) => id);
  return {
    node: pair.node,
    paused: view !== null && isPaused(view),
    addresses:
      view === null
        ? []
        : ids.map((id) => ({
            ...explainAddress(view, id, nowMs),
            reason: self?.addresses.find(({ address }) => address === id)?.reason ?? '',
          })),
  };
}

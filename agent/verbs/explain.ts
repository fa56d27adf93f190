import { explainAddress } from '../core/decide/explain.ts';
import type { ExplainAnswer } from '../core/answers.ts';
import { isPaused } from '../core/decide/candidates.ts';
import type { View } from '../core/decide/view.ts';
import { othersTurn } from '../sys/turn.ts';
import { addressesOf } from './addresses.ts';
import type { Pair } from './pair.ts';

/** So many addresses are explained in one turn of the loop. */
const PIECE = 16;

/** `explain`: from memory, nothing is asked of anybody. Rejects with ActFailure for an address nobody has. */
export async function explain(
  pair: Pair,
  view: View | null,
  addresses: readonly string[],
): Promise<ExplainAnswer> {
  const nowMs = pair.clock.nowMs();
  const self = pair.view().find(({ node }) => node === pair.node)?.report ?? null;
  const ids = addressesOf(pair, addresses).map(({ id }) => id);
  const explained: ExplainAnswer['addresses'][number][] = [];
  if (view === null) return { node: pair.node, paused: false, addresses: [] };
  for (const [at, id] of ids.entries()) {
    if (at > 0 && at % PIECE === 0) await othersTurn();
    const reason = self?.addresses.find(({ address }) => address === id)?.reason ?? '';
    explained.push({ ...explainAddress(view, id, nowMs), reason });
  }
  return { node: pair.node, paused: isPaused(view), addresses: explained };
}

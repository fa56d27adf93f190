import type { Decision } from '../core/decide/decision.ts';
import {
  foundHere,
  givenUp,
  HISTORY_LIMIT,
  heldBy,
  wentBack,
  type GivenUp,
  type OwnerChange,
} from '../core/history.ts';
import type { NodeReport, NodeView } from '../core/model.ts';

/** What of the history is stored. */
export interface StoredPast {
  readonly history: readonly OwnerChange[];
  readonly held: readonly string[];
}

/** How addresses came to this node, kept over restarts: one record for each time. */
export function past(stored: StoredPast) {
  let { history, held } = stored;
  let first = true;
  let before: NodeReport | null = null;
  let gone: readonly GivenUp[] = [];

  /** Two MASTERs that ended with the other one, once that is heard. */
  function ended(me: NodeReport, peers: readonly NodeView[], wallMs: number): OwnerChange[] {
    const here = heldBy(me);
    const open = [...gone, ...givenUp(before, me, wallMs)]
      .filter(({ address }) => !here.includes(address))
      .map((one) => ({ one, change: wentBack(one, me, peers) }));
    before = me;
    gone = open.filter(({ change }) => change === undefined).map(({ one }) => one);
    return open.flatMap(({ change }) => change ?? []);
  }

  return {
    list: (): readonly OwnerChange[] => history,
    /** Takes in what a round saw; what has to be stored then, or null. */
    note(
      { changes }: Decision,
      me: NodeReport,
      peers: readonly NodeView[],
      wallMs: number,
    ): StoredPast | null {
      // Not read yet: nothing is known to be here, or to be gone.
      if (me.addresses.length === 0) return null;
      const here = heldBy(me);
      const came = first ? foundHere(held, me, wallMs) : changes;
      const more = [...came, ...ended(me, peers, wallMs)];
      first = false;
      if (more.length === 0 && here.join() === held.join()) return null;
      history = [...history, ...more].slice(-HISTORY_LIMIT);
      held = here;
      return { history, held };
    },
  };
}

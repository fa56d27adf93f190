import type { Decision } from '../core/decide/decision.ts';
import { foundHere, HISTORY_LIMIT, heldBy, type OwnerChange } from '../core/history.ts';
import type { NodeReport } from '../core/model.ts';

/** What of the history is stored. */
export interface StoredPast {
  readonly history: readonly OwnerChange[];
  readonly held: readonly string[];
}

/** How addresses came to this node, kept over restarts: one record for each time. */
export function past(stored: StoredPast) {
  let { history, held } = stored;
  let first = true;

  return {
    list: (): readonly OwnerChange[] => history,
    /** Takes in what a round saw; what has to be stored then, or null. */
    note({ changes }: Decision, me: NodeReport, wallMs: number): StoredPast | null {
      // Not read yet: nothing is known to be here, or to be gone.
      if (me.addresses.length === 0) return null;
      const here = heldBy(me);
      const more = first ? foundHere(held, me, wallMs) : changes;
      first = false;
      if (more.length === 0 && here.join() === held.join()) return null;
      history = [...history, ...more].slice(-HISTORY_LIMIT);
      held = here;
      return { history, held };
    },
  };
}

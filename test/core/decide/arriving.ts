import { decide } from '../../../agent/core/decide/decide.ts';
import { NO_MEMORY, type Memory } from '../../../agent/core/decide/memory.ts';
import type { View } from '../../../agent/core/decide/view.ts';
import type { AddressReport, CarpState, NodeView } from '../../../agent/core/model.ts';
import { heard, view } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';

// haproxy01 had the address (base 0), haproxy02 (base 100) gets it.
export const OLD = 'haproxy01';
export const TAKER = 'haproxy02';

export const onOld = (state: CarpState): NodeView =>
  heard(report(OLD, { addresses: [address({ baseAdvskew: 0, advskew: 254, state })] }));
const onTaker = (mine: Partial<AddressReport>): NodeView =>
  heard(report(TAKER, { addresses: [address({ baseAdvskew: 100, ...mine })] }));

/** What the taker sees: its own state, and the report of the old MASTER. */
export const seen = (mine: CarpState, theirs: NodeView): View =>
  view(TAKER, [onTaker({ state: mine }), theirs]);

/** Before the move. */
export const BEFORE = seen('BACKUP', onOld('MASTER'));

/** When the taker sends adverts, ms since NOW; each step is what is seen from then on. */
export function adverts(steps: readonly (readonly [number, View])[], untilMs = 30_000): number[] {
  let memory: Memory = NO_MEMORY;
  const sent: number[] = [];
  for (const [at, [fromMs, what]] of steps.entries()) {
    const endMs = steps[at + 1]?.[0] ?? untilMs;
    let nowMs: number | null = fromMs;
    while (nowMs !== null && nowMs < endMs) {
      const decision = decide(what, memory, NOW + nowMs);
      ({ memory } = decision);
      if (decision.actions.some(({ kind }) => kind === 'advertise')) sent.push(nowMs);
      nowMs = decision.wakeAtMs === null ? null : decision.wakeAtMs - NOW;
    }
  }
  return sent;
}

import { compareStamps, pinKey, wish, type Intents } from '../core/intents.ts';
import type { NodeView, Stamp } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';

/** Remembers which addresses' present pins have been reached once: the pinned node was MASTER. */
export function pinsReached(clock: Clock) {
  const reached = new Map<string, Stamp>();
  return (intents: Intents, nodes: readonly NodeView[]): ReadonlySet<string> => {
    const wallMs = clock.wallMs();
    for (const { report, fresh, node } of nodes) {
      if (report === null || !fresh) continue;
      for (const { address, state } of report.addresses) {
        const pin = wish(intents, pinKey(address), wallMs);
        const known = reached.get(address);
        const outdated = known !== undefined && pin !== null && compareStamps(known, pin.stamp);
        if (pin === null || (outdated !== false && outdated !== 0)) reached.delete(address);
        if (pin?.value === node && state === 'MASTER') reached.set(address, pin.stamp);
      }
    }
    return new Set(reached.keys());
  };
}

import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { losesAdverts, masters, names, type Check } from './truth.ts';

/** Hold, and one more hold for what a fence or an agent that joined last delayed. */
const QUIET_MS = 40_000;

/**
 * Nothing moves while nothing happens. Tolerated until nothing was wrong for
 * QUIET_MS and adverts are not thought lost any more.
 */
export function steady(): Check {
  let quietSinceMs = -1;
  let held = new Map<number, string>();
  const check = (world: World): void => {
    if (world.quietMs() < QUIET_MS) return;
    if (quietSinceMs !== world.troubledAtMs || losesAdverts(world)) {
      quietSinceMs = world.troubledAtMs;
      held = new Map(world.options.vhids.map(({ vhid }) => [vhid, names(masters(world, vhid))]));
      return;
    }
    for (const [vhid, before] of held) {
      const now = names(masters(world, vhid));
      if (now !== before)
        throw new Violation('steady', `vhid ${vhid}: ${before} had it, now ${now}, for nothing`);
    }
  };
  return { name: 'steady', check };
}

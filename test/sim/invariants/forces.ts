import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import type { Check } from './truth.ts';

/** At most one a second; how long two ifconfigs take differs by a few ms. */
const INTERVAL_MS = 900;
const WINDOW_MS = 10_000;
/** Two that did not stand, and one that did before and was handed over. */
const LIMIT = 3;

/** Forced promotions of one address by one host: at most one a second, and after two that did not stand it waits. */
export function forces(): Check {
  const seen = new Map<string, number>();
  const check = (world: World): void => {
    for (const host of world.hosts) {
      if (seen.get(host.name) === host.forced.length) continue;
      seen.set(host.name, host.forced.length);
      // A new agent does not know what the one before it did.
      if (host.agent === null || world.nowMs - host.agent.startedAtMs < WINDOW_MS) continue;
      for (const { vhid } of world.options.vhids) {
        const times = host.forced
          .filter((one) => one.vhid === vhid && one.meant)
          .map(({ atMs }) => atMs);
        const [last, before] = [times.at(-1) ?? 0, times.at(-2) ?? -Infinity];
        const recent = times.filter((atMs) => last - atMs < WINDOW_MS);
        if (last - before < INTERVAL_MS && host.slowMs === 0)
          fail(`vhid ${vhid}: ${host.name} forces twice within ${Math.round(last - before)} ms`);
        if (recent.length > LIMIT)
          fail(`vhid ${vhid}: ${host.name} forces ${recent.length} times within 10 s`);
      }
    }
  };
  return { name: 'forces', check };
}

function fail(text: string): never {
  throw new Violation('forces', text);
}

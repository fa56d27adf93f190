import { LOWERED_ADVSKEW } from '../../../agent/core/model.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import {
  hearsSomebody,
  isDegraded,
  isInMaintenance,
  losesAdverts,
  pinOf,
  serves,
  Since,
  type Check,
} from './truth.ts';

/** A reading, a round and an ifconfig that was on its way. */
const SEEN_MS = 5000;

/**
 * What cannot be asked moves nothing: the preferred host of an address, MASTER and serving, does not
 * lower itself while its HAProxy cannot be asked. Not looked at: maintenance, a pin elsewhere, a
 * demotion, a host that is cut off or hears neither an agent nor the witness, adverts known to be lost, one that is lowered by hand.
 */
export function notAsked(): Check {
  const since = new Since();
  const before = new Map<string, number>();
  const check = (world: World): void => {
    for (const host of world.hosts) {
      const { agent, haproxy } = host;
      const isDemoted = host.kernel.demotion > 0;
      const well =
        serves(host) && !isDegraded(world, host) && !isDemoted && hearsSomebody(world, host);
      const ms = since.ms(host.name, well && agent?.isJoined() === true, world.nowMs);
      for (const { vhid, advskew } of world.options.vhids) {
        const key = `${host.name} ${vhid}`;
        const was = before.get(key);
        const now = host.advskew(vhid);
        before.set(key, now);
        if (
          !haproxy.barred ||
          was === undefined ||
          was === LOWERED_ADVSKEW ||
          now !== LOWERED_ADVSKEW
        )
          continue;
        const pin = pinOf(host, vhid);
        const wished = isInMaintenance(host) || (pin !== null && pin !== host.name);
        if (ms < SEEN_MS || wished || losesAdverts(world) || host.byHand.has(vhid)) continue;
        if (host.base(vhid) !== Math.min(...advskew.slice(0, world.hosts.length))) continue;
        if (host.isMaster(vhid))
          throw new Violation(
            'not-asked',
            `vhid ${vhid}: ${host.name} lowers itself though it serves, and cannot be asked`,
          );
      }
    }
  };
  return { name: 'not-asked', check };
}

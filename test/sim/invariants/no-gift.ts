import { LOWERED_ADVSKEW } from '../../../agent/core/model.ts';
import type { Host } from '../host.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import {
  isAttached,
  isInMaintenance,
  losesAdverts,
  pinOf,
  serves,
  Since,
  type Check,
} from './truth.ts';

/** Another node is heard: it tells whether it serves. */
const hears = (host: Host): boolean =>
  host.agent?.loop?.peers().some(({ fresh }) => fresh) ?? false;

/** So long may what was decided while nobody was heard be under way, ms: one ifconfig. */
const UNDER_WAY_MS = 100;
/** What a report may be old, and an HAProxy's death or hanging unseen, ms. */
const UNSEEN_MS = 5000;

/**
 * I2: no MASTER lowers itself for its own health unless a peer serves. Not
 * looked at: a pin elsewhere, maintenance, a host that is cut off, one that
 * hears no other agent, or did not a moment ago, a copy that speaks for a host that is gone, adverts known to be lost. Tolerated: a peer whose HAProxy ended moments ago.
 */
export function noGift(): Check {
  const since = new Since();
  const unheardAtMs = new Map<string, number>();
  const before = new Map<string, { readonly advskew: number; readonly isMaster: boolean }>();
  const check = (world: World): void => {
    for (const host of world.hosts) {
      const others = world.hosts.filter((one) => one !== host);
      const alone = others.every((one) => !serves(one) && !world.copied.has(one));
      if (!hears(host)) unheardAtMs.set(host.name, world.nowMs);
      const unheardMs = world.nowMs - (unheardAtMs.get(host.name) ?? -Infinity);
      const aloneMs = since.ms(host.name, alone, world.nowMs);
      for (const { vhid } of world.options.vhids) {
        const key = `${host.name} ${vhid}`;
        const advskew = host.advskew(vhid);
        const was = before.get(key);
        const isMaster = host.isMaster(vhid);
        const lowered = was?.advskew !== LOWERED_ADVSKEW && advskew === LOWERED_ADVSKEW;
        before.set(key, { advskew, isMaster });
        // One command may lower it and make it BACKUP.
        const gives = lowered && (isMaster || was?.isMaster === true);
        if (!gives || host.byHand.has(vhid)) continue;
        const pin = pinOf(host, vhid);
        const wished = isInMaintenance(host) || (pin !== null && pin !== host.name);
        if (wished || losesAdverts(world) || !isAttached(world, host)) continue;
        if (unheardMs <= UNDER_WAY_MS + host.slowMs) continue;
        // What cannot be asked may live: a dead HAProxy gives to it.
        if (others.some(({ haproxy }) => haproxy.barred)) continue;
        if (aloneMs > UNSEEN_MS && !serves(host))
          throw new Violation(
            'no-gift',
            `vhid ${vhid}: ${host.name} lowers itself though no other HAProxy serves for ${Math.round(aloneMs)} ms`,
          );
      }
    }
  };
  return { name: 'no-gift', check };
}

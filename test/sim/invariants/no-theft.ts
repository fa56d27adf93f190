import type { Host } from '../host.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { addressOf, isAttached, losesAdverts, serves, Since, type Check } from './truth.ts';

/** Five probes 30 ms apart, a heartbeat, and the ways: less than this is no silence. */
const CLEAN_MS = 1500;
/** A grant stands 2 s, and its taker's ifconfig may take one more. */
const GRANT_MS = 4500;

/**
 * Nobody forces itself MASTER against a node that is MASTER, serves, and is
 * reached by adverts and echo, unless that node named it; whatever became of its
 * agent or of gossip. Not looked at: adverts known to be lost (the keeper forces
 * itself), slow tools.
 */
export function noTheft(): Check {
  const since = new Since();
  const granted = new Map<string, number>();
  const seen = new Map<Host, number>();
  const check = (world: World): void => {
    const { nowMs } = world;
    for (const { vhid } of world.options.vhids) {
      for (const host of world.hosts) {
        const mine = host.report()?.addresses.find(({ address }) => address === addressOf(vhid));
        if (mine?.yieldTo) granted.set(`${vhid} ${host.name} ${mine.yieldTo}`, nowMs);
      }
    }
    for (const holder of world.hosts) {
      for (const taker of world.hosts) {
        if (taker === holder) continue;
        const { network } = world;
        const clean =
          isAttached(world, holder) &&
          isAttached(world, taker) &&
          serves(holder) &&
          holder.slowMs === 0 &&
          taker.slowMs === 0 &&
          network.isClean('advert', holder.name, taker.name) &&
          network.isClean('echo', holder.name, taker.name);
        for (const { vhid } of world.options.vhids) {
          const key = `${vhid} ${holder.name} ${taker.name}`;
          const firm = clean && holder.isMaster(vhid);
          const ms = since.ms(key, firm, nowMs);
          const last = taker.forced.slice(seen.get(taker) ?? 0).find((one) => one.vhid === vhid);
          if (last === undefined || ms < CLEAN_MS || losesAdverts(world)) continue;
          if (nowMs - (granted.get(key) ?? -Infinity) > GRANT_MS)
            throw new Violation(
              'no-theft',
              `vhid ${vhid}: ${taker.name} forces itself against ${holder.name}, which is well and did not name it`,
            );
        }
      }
    }
    for (const host of world.hosts) seen.set(host, host.forced.length);
  };
  return { name: 'no-theft', check };
}

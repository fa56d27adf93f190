import type { Host } from '../host.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import {
  isAttached,
  isInMaintenance,
  isManaged,
  isPaused,
  losesAdverts,
  masters,
  serves,
  Since,
  type Check,
} from './truth.ts';

/** At most once per `hold`, hanging is known after 3 s, and a try that failed is repeated after 1 s. */
const MARGIN_MS = 5000;
/** With adverts lost a fence has to be lifted first, and the kernel's timer may have to end. */
const LOST_MS = 15_000;
/** With gossip stopped each side has to find out that nobody answers, and the kernel's timer has to end. */
const UNHEARD_MS = 10_000;

/**
 * No address stays on a dead HAProxy for longer than `hold` and what it takes
 * to see, while a peer serves, both agents run, and adverts pass; where gossip is filtered, for
 * what it takes to step out. Tolerated: an HAProxy that cannot be asked, pause, a taker in maintenance, a 254 by hand.
 */
export function served(): Check {
  const since = new Since();
  const check = (world: World): void => {
    const paused = isPaused(world);
    const limitMs = world.policy.holdMs + MARGIN_MS + (losesAdverts(world) ? LOST_MS : 0);
    for (const { vhid } of world.options.vhids) {
      const now = masters(world, vhid);
      for (const host of world.hosts) {
        const dead =
          now.length === 1 &&
          now[0] === host &&
          !serves(host) &&
          isManaged(host) &&
          !host.haproxy.barred;
        for (const peer of world.hosts) {
          if (peer === host) continue;
          const could = dead && !paused && canTake(world, host, peer, vhid);
          const ms = since.ms(`${vhid} ${host.name} ${peer.name}`, could, world.nowMs);
          const heard = world.network.isClean('gossip', host.name, peer.name);
          const heardMs = since.ms(`${vhid} ${host.name} ${peer.name} heard`, heard, world.nowMs);
          if (ms > limitMs + (heardMs > limitMs ? 0 : UNHEARD_MS))
            throw new Violation(
              'served',
              `vhid ${vhid}: on ${host.name}, whose HAProxy is ${host.haproxy.state}, for ${Math.round(ms)} ms though ${peer.name} serves`,
            );
        }
      }
    }
  };
  return { name: 'served', check };
}

const canTake = (world: World, host: Host, peer: Host, vhid: number): boolean =>
  serves(peer) &&
  isManaged(peer) &&
  isAttached(world, peer) &&
  peer.state(vhid) !== 'INIT' &&
  !peer.byHand.has(vhid) &&
  !host.byHand.has(vhid) &&
  !isInMaintenance(peer) &&
  host.slowMs === 0 &&
  peer.slowMs === 0 &&
  !host.disk.full &&
  !peer.disk.full &&
  world.network.isClean('advert', host.name, peer.name);

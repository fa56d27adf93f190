import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import {
  isDegraded,
  isInMaintenance,
  isPaused,
  isSpent,
  losesAdverts,
  pinOf,
  serves,
  type Check,
} from './truth.ts';
import type { Host } from '../host.ts';

/** Hold, a trial of a fence, and what an agent that started last needs. */
const QUIET_MS = 30_000;
/** A fence whose trial failed while adverts were half lost is tried again after a minute. */
const FENCED_MS = 75_000;

/**
 * I3: a restart, a crash or a fault that is over leaves nothing behind that no
 * intent and no present health explains: no 254, no fence, no demotion.
 * Tolerated until nothing was wrong for QUIET_MS.
 */
export function nothingLeft(): Check {
  const check = (world: World): void => {
    if (world.quietMs() < QUIET_MS) return;
    for (const host of world.hosts) {
      if (host.kernel.allow === 0 && world.quietMs() >= FENCED_MS)
        fail(`${host.name} is still fenced`);
      if (host.kernel.allow !== 0 && host.kernel.demotion !== 0 && !host.byHand.has(0))
        fail(`${host.name} still has demotion ${host.kernel.demotion}`);
      for (const { vhid } of world.options.vhids) {
        const advskew = host.advskew(vhid);
        if (advskew === host.base(vhid) || host.byHand.has(vhid)) continue;
        if (host.isMaster(vhid)) fail(`vhid ${vhid}: ${host.name} is MASTER with ${advskew}`);
        if (!isExplained(world, host, vhid))
          fail(`vhid ${vhid}: ${host.name} still has advskew ${advskew}`);
      }
    }
  };
  return { name: 'nothing-left', check };
}

function isExplained(world: World, host: Host, vhid: number): boolean {
  const pin = pinOf(host, vhid);
  return (
    (pin !== null && pin !== host.name) ||
    isInMaintenance(host) ||
    !serves(host) ||
    isDegraded(world, host) ||
    world.policy.failback === 'manual' ||
    isPaused(world) ||
    losesAdverts(world) ||
    isSpent(world, vhid)
  );
}

function fail(text: string): never {
  throw new Violation('nothing-left', text);
}

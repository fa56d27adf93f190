import type { Host } from '../host.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import {
  isAttached,
  isDegraded,
  isInMaintenance,
  isPaused,
  isSpent,
  losesAdverts,
  masters,
  names,
  pinOf,
  serves,
  type Check,
} from './truth.ts';

/** Hold, a trial of a fence, one more attempt of a move. */
const QUIET_MS = 35_000;

/**
 * Once nothing was wrong for QUIET_MS every address is where decide.md's order
 * puts it: HAProxy up, not in maintenance, pinned, not degraded, and where
 * failback is automatic the better base. Not looked at: pause, a 254 by hand, adverts
 * still thought lost;
 * a spent budget excuses degraded and failback moves.
 */
export function settled(): Check {
  const check = (world: World): void => {
    if (world.quietMs() < QUIET_MS || isPaused(world) || losesAdverts(world)) return;
    for (const { vhid } of world.options.vhids) {
      const [holder] = masters(world, vhid);
      const able = world.hosts.filter((host) => isAttached(world, host));
      if (holder === undefined || able.some((host) => host.byHand.has(vhid))) continue;
      const better = able.filter((host) =>
        isBetter(rank(world, host, vhid), rank(world, holder, vhid)),
      );
      if (better.length > 0)
        throw new Violation('settled', `vhid ${vhid}: ${holder.name} has it, not ${names(better)}`);
    }
  };
  return { name: 'settled', check };
}

function rank(world: World, host: Host, vhid: number): number[] {
  const pin = pinOf(host, vhid);
  const bound = isSpent(world, vhid);
  const returns = world.policy.failback === 'auto' && !bound;
  return [
    Number(!serves(host)),
    Number(isInMaintenance(host)),
    Number(pin !== null && pin !== host.name),
    Number(!bound && isDegraded(world, host)),
    returns ? host.base(vhid) : 0,
  ];
}

function isBetter(one: readonly number[], other: readonly number[]): boolean {
  for (const [at, value] of one.entries()) {
    const against = other[at] ?? 0;
    if (value !== against) return value < against;
  }
  return false;
}

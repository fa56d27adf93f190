import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { isAttached, masters, Since, type Check } from './truth.ts';

/** A BACKUP at 254 waits 3.99 s for adverts, rounded up to ticks. */
const KERNEL_MS = 4300;
/** A fence is lifted 3 s after its last renewal, then the kernel's wait begins. */
const FENCED_MS = 8500;
const QUIET_MS = 10_000;
const MOVE_MS = 300;

/**
 * I1b: somebody answers while a host lives that clients reach. Tolerated: the
 * kernel's own timer after a MASTER went away, the lease of a fence before it.
 * Once nothing was wrong for QUIET_MS: only the gap of a move.
 */
export function someMaster(): Check {
  const since = new Since();
  const check = (world: World): void => {
    for (const { vhid } of world.options.vhids) {
      const dark = masters(world, vhid).length === 0;
      for (const host of world.hosts) {
        const there = dark && isAttached(world, host);
        const able = there && host.kernel.allow !== 0 && host.state(vhid) !== 'INIT';
        // A host that has just booted waits anew, also where no time passed between.
        const key = `${vhid} ${host.name} ${host.boot}`;
        const ableMs = since.ms(`${key} able`, able, world.nowMs);
        const thereMs = since.ms(`${key} there`, there, world.nowMs);
        const quietMs = since.ms(`${key} quiet`, able && world.quietMs() >= QUIET_MS, world.nowMs);
        if (ableMs > KERNEL_MS || thereMs > FENCED_MS || quietMs > MOVE_MS) {
          const ms = Math.round(Math.max(ableMs, thereMs, quietMs));
          throw new Violation(
            'some-master',
            `vhid ${vhid}: nobody is MASTER for ${ms} ms while ${host.name} lives`,
          );
        }
      }
    }
  };
  return { name: 'some-master', check };
}

import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import { masters, names, Since, type Check } from './truth.ts';

/** A kernel yields at the next advert of a better MASTER: 1.94 s at most, and the way. */
const KERNEL_MS = 2500;
const QUIET_MS = 10_000;
const OVERLAP_MS = 300;

/**
 * I1: at most one MASTER. Tolerated at any time: two whose adverts do not reach
 * each other; others until the slower one hears the next advert. Once nothing
 * was wrong for QUIET_MS: only the overlap of a move.
 */
export function oneMaster(): Check {
  const since = new Since();
  const check = (world: World): void => {
    for (const { vhid } of world.options.vhids) {
      const now = masters(world, vhid);
      for (const [at, one] of now.entries()) {
        for (const other of now.slice(at + 1)) {
          const hear = world.network.isClean('advert', one.name, other.name);
          const ms = since.ms(`${vhid} ${one.name} ${other.name}`, hear, world.nowMs);
          if (ms > KERNEL_MS) fail(vhid, names([one, other]), ms, 'though they hear each other');
        }
      }
      for (const one of world.hosts)
        for (const other of world.hosts)
          if (!now.includes(one) || !now.includes(other))
            since.ms(`${vhid} ${one.name} ${other.name}`, false, world.nowMs);
      const quiet = world.quietMs() >= QUIET_MS;
      const ms = since.ms(`${vhid}`, quiet && now.length > 1, world.nowMs);
      if (ms > OVERLAP_MS) fail(vhid, names(now), ms, 'though all is well');
    }
  };
  return { name: 'one-master', check };
}

function fail(vhid: number, who: string, ms: number, text: string): never {
  throw new Violation(
    'one-master',
    `vhid ${vhid}: ${who} are MASTER for ${Math.round(ms)} ms ${text}`,
  );
}

import { undoDemotion, unexplained } from '../core/doctor/demotion.ts';
import type { Policy, Problem } from '../core/model.ts';
import type { CarpObservation } from './observe.ts';

/**
 * Tells a demotion that nothing on this host explains: it stands back for every
 * other and cannot be preferred again until somebody takes it back. Told after
 * `hold`: interfaces and the sum are not read at one moment, and pfsync's own ends by itself.
 */
export function demotionWatch({ holdMs }: Pick<Policy, 'holdMs'>) {
  let left = 0;
  let sinceMs = 0;
  return {
    /** `carp`: the latest reading; null: CARP cannot be read. */
    problem(carp: CarpObservation | null, nowMs: number): Problem | null {
      const inInit = carp?.addresses.filter(({ state }) => state === 'INIT').length ?? 0;
      const now = carp === null ? 0 : unexplained({ ...carp, inInit });
      if (now !== left) [left, sinceMs] = [now, nowMs];
      if (carp === null || left === 0 || nowMs - sinceMs < holdMs) return null;
      const cause =
        `CARP demotion is ${carp.demotion} and nothing here explains ${left} of it: ` +
        'this host stands back (an advert was not sent, see pf; or a program)';
      return { subject: 'demotion', cause, remedy: undoDemotion(left), sinceMs };
    },
  };
}

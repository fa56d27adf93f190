import { withoutPort } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import type { Notices } from './notices.ts';

/** Lines a minute about refusals: of one caller, and of all. */
export const REFUSALS = { each: 10, all: 100 } as const;
const MINUTE_MS = 60_000;

/**
 * The notices that a log can take: of one caller (an address without its port, or a name) and of
 * all only so many refusals a minute are handed on; the others are counted in one at its end.
 */
export function bounded(notices: Notices, clock: Clock): Notices & { close(): void } {
  let said = new Map<string, number>();
  let all = 0;
  let withheld = 0;
  let cancel: (() => void) | null = null;

  const say = (): void => {
    cancel = null;
    if (withheld > 0)
      notices.refused(
        'several callers',
        'any',
        `${withheld} more refusals in a minute were not written one by one`,
      );
    said = new Map();
    all = 0;
    withheld = 0;
  };
  return {
    ...notices,
    refused(who, method, reason) {
      cancel ??= clock.after(MINUTE_MS, say);
      const subject = withoutPort(who);
      const before = said.get(subject) ?? 0;
      if (before >= REFUSALS.each || all >= REFUSALS.all) {
        withheld += 1;
        return;
      }
      said.set(subject, before + 1);
      all += 1;
      notices.refused(who, method, reason);
    },
    /** Says what was not said yet. */
    close() {
      cancel?.();
      say();
    },
  };
}

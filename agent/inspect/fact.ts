import type { Fact } from '../core/doctor/inspection.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';

/** What `look` gives, or in one sentence why not; never rejects, and ends after `deadlineMs`. */
export function factWithin<T>(
  clock: Clock,
  deadlineMs: number,
  look: () => Promise<T>,
): Promise<Fact<T>> {
  return new Promise((resolve) => {
    const late = `no answer within ${deadlineMs / 1000} s`;
    const cancel = clock.after(deadlineMs, () => resolve({ cause: late }));
    const end = (fact: Fact<T>): void => {
      cancel();
      resolve(fact);
    };
    Promise.resolve()
      .then(look)
      .then(
        (value) => end({ value }),
        (error: unknown) => end({ cause: sentence(error) }),
      );
  });
}

import type { Problem } from './core/model.ts';
import type { Clock } from './sys/clock.ts';

export type Problems = ReturnType<typeof problems>;

/** What is wrong now in parts other than the loop, one per subject, with since when; goes into the report. */
export function problems(clock: Clock, onChange: () => void) {
  const known = new Map<string, Problem>();
  return {
    list: (): readonly Problem[] => [...known.values()],
    raise(subject: string, cause: string, remedy: string): void {
      const before = known.get(subject);
      if (before?.cause === cause) return;
      known.set(subject, { subject, cause, remedy, sinceMs: clock.nowMs() });
      onChange();
    },
    clear(subject: string): void {
      if (known.delete(subject)) onChange();
    },
  };
}

/** A problem with the time it began, kept from the list it was already in. */
export function problem(
  known: readonly Problem[],
  subject: string,
  cause: string,
  remedy: string,
  nowMs: number,
): Problem {
  const before = known.find((one) => one.subject === subject && one.cause === cause);
  return { subject, cause, remedy, sinceMs: before?.sinceMs ?? nowMs };
}

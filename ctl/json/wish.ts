import type { Intent } from '../../agent/core/model.ts';

/** The moment a result is made. */
export interface Moment {
  /** Monotonic, the clock the status was converted with. */
  readonly nowMs: number;
  readonly wallMs: number;
}

/** RFC 3339, UTC, with milliseconds. */
export const time = (wallMs: number): string => new Date(wallMs).toISOString();

/** The same; null stays null. */
export const timeOrNull = (wallMs: number | null): string | null =>
  wallMs === null ? null : time(wallMs);

/** Who wants something, why, since when and until when. */
export interface WhoJson {
  readonly actor: string;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
}

/** Who wants it; one of a clock that is ahead begins now. */
export const who = (
  { actor, reason, stamp, untilWallMs }: Intent,
  { wallMs }: Pick<Moment, 'wallMs'>,
): WhoJson => ({
  actor,
  reason,
  since: time(Math.min(stamp.wallMs, wallMs)),
  until: timeOrNull(untilWallMs),
});

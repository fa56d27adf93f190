import { usage } from './failure.ts';

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** The wire carries spans as 32-bit milliseconds. */
const LONGEST_MS = 0xffff_ffff;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

/** "250ms", "10s", "5m", "2h" or "1d" in whole ms; null for anything else, and for more than 49 days. */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined) return null;
  const ms = Math.round(Number(count) * (UNITS[unit] ?? 0));
  return ms > 0 && ms <= LONGEST_MS ? ms : null;
}

/** "8:00" or "18:00" of this day, local; null for anything else. */
function clockTime(text: string, nowWallMs: number): Date | null {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hour === undefined || Number(hour) >= 24 || Number(minute) >= 60) return null;
  const at = new Date(nowWallMs);
  at.setHours(Number(hour), Number(minute), 0, 0);
  return at;
}

/**
 * A duration, a clock time (the next one, local) or an RFC 3339 time with its
 * zone, as ms from now. Throws ActFailure 'usage'.
 */
export function untilMs(text: string, nowWallMs: number): number {
  const span = durationMs(text);
  if (span !== null) return span;
  const at = clockTime(text, nowWallMs);
  if (at !== null) {
    if (at.getTime() <= nowWallMs) at.setDate(at.getDate() + 1);
    return at.getTime() - nowWallMs;
  }
  const ms = RFC_3339.test(text) ? Date.parse(text) - nowWallMs : Number.NaN;
  if (ms > 0 && ms <= LONGEST_MS) return ms;
  const why = ms <= 0 ? 'is past' : ms > LONGEST_MS ? 'is over 49 days away' : 'is not understood';
  throw usage(
    `${text} ${why}`,
    'give 2h, 18:00, or a time to come with its zone like 2027-01-31T18:00:00Z',
  );
}

/** How long ago a time was: a duration, the last such clock time (local) or an RFC 3339 time; null for anything else, and for what is to come. */
export function pastMs(text: string, nowWallMs: number): number | null {
  const span = durationMs(text);
  if (span !== null) return span;
  const at = clockTime(text, nowWallMs);
  if (at !== null) {
    if (at.getTime() > nowWallMs) at.setDate(at.getDate() - 1);
    return nowWallMs - at.getTime();
  }
  if (!RFC_3339.test(text)) return null;
  const ms = nowWallMs - Date.parse(text);
  return ms >= 0 ? Math.min(ms, LONGEST_MS) : null;
}

/** Between two new connections to one target, ms. */
export const INTERVAL_MS = 20;

/** One connection that was tried. */
export interface Attempt {
  /** When it began, ms. */
  readonly startMs: number;
  /** It was answered. */
  readonly ok: boolean;
}

/** A time in which nobody was answered. */
export interface Gap {
  /** Since the first attempt, ms. */
  readonly atMs: number;
  readonly ms: number;
}

/**
 * The times between the starts of two successive answers around a failure, less the interval of the
 * attempts: what a client that tries all the time waits at most. One that has not ended reaches to
 * `nowMs`.
 */
export function gapsIn(attempts: readonly Attempt[], intervalMs: number, nowMs: number): Gap[] {
  const sorted = attempts.toSorted((a, b) => a.startMs - b.startMs);
  const beganMs = sorted[0]?.startMs ?? nowMs;
  const gaps: Gap[] = [];
  let lastOkMs = beganMs;
  let failed = false;
  const end = (atMs: number): void => {
    const ms = Math.max(0, Math.round(atMs - lastOkMs - intervalMs));
    gaps.push({ atMs: Math.round(lastOkMs - beganMs), ms });
  };
  for (const { startMs, ok } of sorted) {
    if (ok) {
      if (failed) end(startMs);
      lastOkMs = startMs;
      failed = false;
    } else failed = true;
  }
  if (failed) end(nowMs);
  return gaps;
}

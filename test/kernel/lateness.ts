/**
 * How late callout(9) comes. kern.timecounter.alloweddeviation (percent, 5 by default) lets a
 * callout of T fire anywhere from T to T + T >> precision, so that timers wake the machine
 * together; and tvtohz() rounds up to a tick and adds one.
 */
export interface Lateness {
  /** kern.timecounter.alloweddeviation. */
  readonly deviation: number;
  /** Where the dice stand: the same start gives the same times. */
  readonly seed: number;
}

/** hz is 1000 on amd64. */
export const TICK_MS = 1;

const fls = (value: number): number => 32 - Math.clz32(value);

/**
 * The most by which a callout of `ms` may be late for its precision alone:
 * tc_precexp of FreeBSD sys/kern/kern_tc.c, 4 (a sixteenth) at 5 percent, 7 at 1, none at 0.
 */
export function slackMs(deviation: number, ms: number): number {
  if (deviation <= 0) return 0;
  const t = Math.trunc((99 + deviation) / deviation);
  return ms / 2 ** (fls(t + (t >> 1)) - 1);
}

/** How late the next callout of `ms` comes, and the dice after it. */
export function draw(
  { deviation, seed }: Lateness,
  ms: number,
): { readonly lateMs: number; readonly next: Lateness } {
  // xorshift32: never 0, so a seed of 0 starts as another number.
  let dice = seed === 0 ? 0x9e37_79b9 : seed;
  dice ^= dice << 13;
  dice ^= dice >>> 17;
  dice ^= dice << 5;
  const part = (dice >>> 0) / 2 ** 32;
  return {
    lateMs: TICK_MS + part * slackMs(deviation, ms),
    next: { deviation, seed: dice },
  };
}

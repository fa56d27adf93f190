/** A seeded source of chance; the same seed gives the same story on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** In [from, to). */
  between(from: number, to: number): number;
  /** Mostly near `from`, at times far beyond it, never over `to`: how long real things take. */
  delay(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(of: readonly T[]): T;
}

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state are plenty for one run. */
export function random(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (from: number, to: number): number => from + next() * (to - from);
  return {
    next,
    between,
    delay: (from, to) => from + next() ** 4 * (to - from),
    chance: (probability) => next() < probability,
    pick(of) {
      if (of.length === 0) throw new RangeError('nothing to pick from');
      return of[Math.floor(next() * of.length)] as (typeof of)[number];
    },
  };
}

import type { Clock } from '../sys/clock.ts';
import { fullBucket, refilled, type Bucket } from './bucket.ts';

/** Handshakes a second, after a burst, that may come to nothing: of one source, and of all that are not known. */
export const ARRIVALS = {
  one: { perSecond: 50, burst: 200 },
  all: { perSecond: 200, burst: 800 },
} as const;
/** So many sources are told apart; more share one account. */
const MOST_SOURCES = 1024;
/** So many sources of peers and operators are remembered, the latest. */
const MOST_KNOWN = 256;

export interface Arrivals {
  /** Sources where peers and operators come from. */
  readonly known: ReadonlySet<string>;
  /** Whether another handshake with this source may begin. */
  take(source: string): boolean;
  /** It came to something: it does not count, and the source is known. */
  giveBack(source: string): void;
}

/** Bounds how often strangers can make this node work on handshakes; `always` are known sources. */
export function arrivals(clock: Pick<Clock, 'nowMs'>, always: readonly string[]): Arrivals {
  const known = new Set(always);
  const accounts = new Map<string, Bucket>();
  const all = fullBucket(ARRIVALS.all, clock.nowMs());

  const accountOf = (source: string): Bucket => {
    const nowMs = clock.nowMs();
    // Full again is the same as never seen.
    if (accounts.size >= MOST_SOURCES)
      for (const [key, one] of accounts)
        if (refilled(one, ARRIVALS.one, nowMs).tokens >= ARRIVALS.one.burst) accounts.delete(key);
    const key = accounts.size < MOST_SOURCES || accounts.has(source) ? source : 'others';
    const account = accounts.get(key) ?? fullBucket(ARRIVALS.one, nowMs);
    accounts.set(key, account);
    return refilled(account, ARRIVALS.one, nowMs);
  };
  return {
    known,
    take(source) {
      const many = known.has(source) ? null : refilled(all, ARRIVALS.all, clock.nowMs());
      if (many !== null && many.tokens < 1) return false;
      const one = accountOf(source);
      if (one.tokens < 1) return false;
      one.tokens -= 1;
      if (many !== null) many.tokens -= 1;
      return true;
    },
    giveBack(source) {
      const one = accountOf(source);
      one.tokens = Math.min(ARRIVALS.one.burst, one.tokens + 1);
      if (!known.has(source)) all.tokens = Math.min(ARRIVALS.all.burst, all.tokens + 1);
      if (!always.includes(source)) known.delete(source);
      known.add(source);
      for (const oldest of known) {
        if (known.size <= MOST_KNOWN) break;
        if (!always.includes(oldest)) known.delete(oldest);
      }
    },
  };
}

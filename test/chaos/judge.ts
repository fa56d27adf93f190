import { faultOf } from './actions.ts';
import type { Attempt, Broken, Held, Seen } from './words.ts';

/** How late the machine may be before an episode says nothing about time. */
const STARVED_MS = 1000;
/** The kernel's wait for adverts at 254 (3.99 s), or a hung HAProxy that is known after 3 s, and the move. */
const DARK_MS = 6000;
/** Two of them hear each other and the kernel yields to the next advert. */
const TWO_MS = 4000;
/** What a fault has begun may end after it. */
const AFTER_MS = 5000;

/** What a client or a kernel showed that must not be. */
export interface Verdict {
  readonly problems: readonly string[];
  /** The longest that the machine kept the client waiting for its turn; ms. */
  readonly lateMs: number;
  /** The machine was too busy: what took too long is not counted. */
  readonly starved: boolean;
  readonly outages: readonly Outage[];
}

/** From the first request that failed to the first that was answered again. Unix ms. */
export interface Outage {
  readonly to: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Judges an episode by what was seen from outside, whatever the agents say. */
export function judge(seen: Seen, watchLateMs: number): Verdict {
  const lateMs = Math.max(watchLateMs, ...seen.attempts.map((one) => one.lateMs));
  const starved = lateMs > STARVED_MS;
  const outages = ['vip4', 'vip6'].flatMap((to) => outagesOf(seen.attempts, to, seen.toMs));
  const problems = starved ? [] : [...tooDark(seen, outages, lateMs), ...twoMasters(seen, lateMs)];
  return { problems, lateMs, starved, outages };
}

/** The outages of one address, in order. */
export function outagesOf(attempts: readonly Attempt[], to: string, endMs: number): Outage[] {
  const found: Outage[] = [];
  let fromMs: number | null = null;
  for (const one of attempts.filter((each) => each.to === to).toSorted(byTime)) {
    if (one.by === null) fromMs ??= one.atMs;
    else if (fromMs !== null) {
      found.push({ to, fromMs, toMs: one.atMs });
      fromMs = null;
    }
  }
  if (fromMs !== null) found.push({ to, fromMs, toMs: endMs });
  return found;
}

/** A host that answers its own address all the time could have served: somebody has to have the VIP. */
function tooDark(seen: Seen, outages: readonly Outage[], lateMs: number): string[] {
  return outages.flatMap((outage) => {
    const { to, fromMs, toMs } = outage;
    if (excused(seen, outage)) return [];
    const near = during(seen.broken, fromMs - AFTER_MS, toMs);
    const boundMs =
      DARK_MS + 4 * lateMs + near.reduce((sum, one) => sum + (faultOf(one.name)?.moreMs ?? 0), 0);
    return seen.nodes.flatMap((node) => {
      const ms = ableMs(seen.attempts, node, fromMs, toMs);
      if (ms <= boundMs) return [];
      const faults = near.map((one) => `${one.name} ${one.node ?? ''}`.trim()).join(', ');
      return [
        `${to} was dark for ${ms} ms while ${node} answered its own address all the time; at most ${boundMs} ms with ${faults || 'no fault'}`,
      ];
    });
  });
}

/** The longest part of a time in which a host answered every request to its own address, ms. */
function ableMs(attempts: readonly Attempt[], node: string, fromMs: number, toMs: number): number {
  let longestMs = 0;
  let sinceMs = fromMs;
  const own = attempts.filter(({ to, atMs }) => to === node && atMs >= fromMs && atMs <= toMs);
  if (own.length < 3) return 0;
  for (const { by, atMs, tookMs } of own.toSorted(byTime)) {
    if (by !== null) longestMs = Math.max(longestMs, atMs - sinceMs);
    else sinceMs = atMs + tookMs;
  }
  return longestMs;
}

/** An operator has stopped all moves, and HAProxy or its host has died meanwhile. */
function excused({ paused }: Seen, { fromMs, toMs }: Outage): boolean {
  return paused.some((one) => one.fromMs <= toMs && one.toMs >= fromMs - AFTER_MS);
}

/** Two MASTERs whose adverts reach each other: only as long as a move takes. */
function twoMasters(seen: Seen, lateMs: number): string[] {
  const boundMs = TWO_MS + 4 * lateMs;
  return spans(seen.held, seen.toMs).flatMap(({ masters, fromMs, toMs }) => {
    const ms = longestWithout(seen.broken, fromMs, toMs);
    return masters.length > 1 && ms > boundMs
      ? [`${masters.join(' and ')} were MASTER for ${ms} ms with nothing between them`]
      : [];
  });
}

/** Who was MASTER from when to when. */
export const spans = (held: readonly Held[], endMs: number) =>
  held.map(({ atMs, masters }, at) => ({
    masters,
    fromMs: atMs,
    toMs: held[at + 1]?.atMs ?? endMs,
  }));

/** The longest part of a time in which no fault of the network was on and none had just ended, ms. */
function longestWithout(broken: readonly Broken[], fromMs: number, toMs: number): number {
  let longestMs = 0;
  let sinceMs = fromMs;
  const network = during(broken, fromMs, toMs).filter(({ name }) => faultOf(name)?.splits === true);
  for (const one of network.toSorted((a, b) => a.fromMs - b.fromMs)) {
    longestMs = Math.max(longestMs, one.fromMs - sinceMs);
    sinceMs = Math.max(sinceMs, one.toMs);
  }
  return Math.max(longestMs, toMs - sinceMs);
}

const during = (broken: readonly Broken[], fromMs: number, toMs: number): Broken[] =>
  broken.filter((one) => one.fromMs <= toMs && one.toMs >= fromMs);

const byTime = (one: Attempt, other: Attempt): number => one.atMs - other.atMs;

import type { Clock } from '../sys/clock.ts';

/** What the doors tell of whom they turn away. */
export interface DoorEvents {
  /**
   * So many connections from one source ended before it was known who it is, for this cause, since
   * the last word. At most once a minute for each source and cause, of a bounded number of sources.
   */
  refused(turned: {
    readonly source: string;
    readonly cause: string;
    readonly count: number;
  }): void;
  /** The same in one sentence, at most once a minute. */
  summary(text: string, fields: { readonly connections: number; readonly sources: number }): void;
  /** Peers or operators are kept out, and how; null: no longer. */
  keptOut(cause: string | null): void;
}

/** From the first stranger to the first word, and between words, ms. */
const FIRST_MS = 1000;
const AGAIN_MS = 60_000;
/** So many sources are told apart between two words; more are one. */
const MOST_SOURCES = 256;
/** So many are named to `refused`. */
const MOST_NAMED = 32;
const OTHERS = 'other addresses';
/** How long after the last time it is an alert that somebody was kept out, ms. */
export const KEPT_OUT_MS = 60_000;

/** Counts who was turned away, and says so no more often than anybody can read. */
export function strangers(clock: Clock, events: DoorEvents) {
  let counts = new Map<string, Map<string, number>>();
  let cancel: (() => void) | null = null;
  let saidMs: number | null = null;
  let solve: (() => void) | null = null;
  let closed = false;

  const say = (): void => {
    cancel = null;
    saidMs = clock.nowMs();
    const sources = [...counts]
      .map(([source, causes]) => ({ source, causes, count: sum(causes.values()) }))
      .sort((a, b) => b.count - a.count);
    counts = new Map();
    const connections = sum(sources.map(({ count }) => count));
    const [most] = sources;
    if (most === undefined) return;
    const from = sources.length === 1 ? `from ${most.source}` : `${most.count} from ${most.source}`;
    const why = [...most.causes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
    const text = `${connections} connections were closed before it was known whose they are, ${from} (${why})`;
    events.summary(text, { connections, sources: sources.length });
    for (const { source, causes } of sources.slice(0, MOST_NAMED))
      for (const [cause, count] of causes) events.refused({ source, cause, count });
  };
  return {
    count(from: string, cause: string): void {
      if (closed) return;
      const source = counts.size < MOST_SOURCES || counts.has(from) ? from : OTHERS;
      const causes = counts.get(source) ?? new Map<string, number>();
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
      counts.set(source, causes);
      const waitMs = saidMs === null ? FIRST_MS : saidMs + AGAIN_MS - clock.nowMs();
      cancel ??= clock.after(Math.max(FIRST_MS, waitMs), say);
    },
    /** A peer or operator was turned away; `cause` names whom and why. */
    keptOut(cause: string): void {
      if (closed) return;
      // The first one says it for all until it is over: nobody can make it change all the time.
      if (solve === null) events.keptOut(cause);
      solve?.();
      solve = clock.after(KEPT_OUT_MS, () => {
        solve = null;
        events.keptOut(null);
      });
    },
    /** Says what was not said yet; nothing is said afterwards. */
    close(): void {
      closed = true;
      solve?.();
      if (cancel === null) return;
      cancel();
      say();
    },
  };
}

const sum = (numbers: Iterable<number>): number => {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
};

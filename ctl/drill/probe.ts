import { gapsIn, INTERVAL_MS, type Attempt, type Gap } from './gaps.ts';
import { knock, type Target } from './knock.ts';

/** A connection without an answer is given up after this, ms. */
const TIMEOUT_MS = 1000;
/** So many gaps are named, the longest ones. */
const MOST_GAPS = 20;

/** What clients of the addresses saw. */
export interface ClientsSaw {
  readonly targets: readonly string[];
  readonly sent: number;
  readonly lost: number;
  /** The longest time in which one of the targets did not answer, ms. */
  readonly darkMs: number;
  /** The longest first. */
  readonly gaps: readonly (Gap & { readonly target: string })[];
}

export interface Probe {
  /** Resolves once each target has answered, or with those that have not within `withinMs`. */
  first(withinMs: number): Promise<readonly string[]>;
  /** For how long the worst target has not answered now, ms; 0 where all do. */
  darkNow(): number;
  /** So many connections have been lost. */
  lost(): number;
  seen(): ClientsSaw;
  end(): void;
}

interface Watched {
  readonly target: Target;
  readonly attempts: Attempt[];
  lost: number;
  lastOkMs: number;
}

/** New connections to each target all the time, from this machine, until `end`. */
export function startProbe(targets: readonly Target[]): Probe {
  const watched = targets.map((target): Watched => ({
    target,
    attempts: [],
    lost: 0,
    lastOkMs: performance.now(),
  }));
  let tickedMs = performance.now();
  const tick = (): void => {
    const nowMs = performance.now();
    // A machine that did not let this run has not asked anybody: that is no outage.
    const lateMs = nowMs - tickedMs - 2 * INTERVAL_MS;
    if (lateMs > 0) for (const one of watched) one.lastOkMs += lateMs;
    tickedMs = nowMs;
    for (const one of watched) void ask(one, nowMs);
  };
  const timer = setInterval(tick, INTERVAL_MS);
  tick();

  return {
    async first(withinMs) {
      const untilMs = performance.now() + withinMs;
      const silent = (): string[] =>
        watched
          .filter(({ attempts }) => !attempts.some(({ ok }) => ok))
          .map(({ target }) => target.name);
      while (silent().length > 0 && performance.now() < untilMs)
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      return silent();
    },
    darkNow() {
      const nowMs = performance.now();
      const dark = watched.map(({ lastOkMs }) => nowMs - lastOkMs - 2 * INTERVAL_MS);
      return Math.max(0, ...dark);
    },
    lost: () => watched.reduce((sum, { lost }) => sum + lost, 0),
    seen() {
      const nowMs = performance.now();
      const gaps = watched
        .flatMap(({ target, attempts }) =>
          gapsIn(attempts, INTERVAL_MS, nowMs).map((gap) => ({ ...gap, target: target.name })),
        )
        .sort((a, b) => b.ms - a.ms);
      const all = watched.flatMap(({ attempts }) => attempts);
      return {
        targets: targets.map(({ name }) => name),
        sent: all.length,
        lost: all.filter(({ ok }) => !ok).length,
        darkMs: gaps[0]?.ms ?? 0,
        gaps: gaps.slice(0, MOST_GAPS),
      };
    },
    end: () => clearInterval(timer),
  };
}

async function ask(one: Watched, startMs: number): Promise<void> {
  const ok = await knock(one.target, TIMEOUT_MS);
  one.attempts.push({ startMs, ok });
  if (!ok) one.lost += 1;
  else one.lastOkMs = Math.max(one.lastOkMs, performance.now());
}

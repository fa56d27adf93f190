import type { Clock } from '../agent/sys/clock.ts';

interface Sleeper {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that moves only when told. */
export class FakeClock implements Clock {
  #nowMs: number;
  #wallOffsetMs: number;
  #sleepers: Sleeper[] = [];

  constructor({ nowMs = 0, wallMs = 1_800_000_000_000 } = {}) {
    this.#nowMs = nowMs;
    this.#wallOffsetMs = wallMs - nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(ms: number, callback: () => void): () => void {
    const sleeper: Sleeper = { atMs: this.#nowMs + ms, callback };
    this.#sleepers.push(sleeper);
    return () => {
      this.#sleepers = this.#sleepers.filter((one) => one !== sleeper);
    };
  }

  /** In how many ms from now each sleeper wakes, soonest first. */
  sleeping(): number[] {
    return this.#sleepers.map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Time passes and nobody wakes, as on a machine that stands still; the next `advance` wakes who is overdue. */
  freeze(ms: number): void {
    this.#nowMs += ms;
  }

  /** Moves on by `ms`, wakes in order of time everyone whose moment comes, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (;;) {
      const [next] = this.#sleepers
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }
}

/** Resolves once every promise that waits for nothing but other promises has settled. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

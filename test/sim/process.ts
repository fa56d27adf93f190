import type { Clock } from '../../agent/sys/clock.ts';
import type { HostClock } from './host-clock.ts';
import type { World } from './world.ts';

/**
 * One process of a host: what is delivered to it waits while it is stopped
 * (SIGSTOP, starved, the machine paused) and is lost once it is dead. After a
 * stop the timers that came due run first, all at once and late, then what
 * arrived meanwhile, in order: libuv's order.
 */
export class Process {
  readonly world: World;
  readonly clock: Clock;
  alive = true;
  stopped = false;
  #timers: (() => void)[] = [];
  #arrived: (() => void)[] = [];

  constructor(world: World, hostClock: HostClock) {
    this.world = world;
    this.clock = {
      nowMs: () => world.nowMs + hostClock.monotonicMs,
      wallMs: () => world.nowMs + hostClock.wallMs,
      after: (ms, callback) => this.#after(ms, callback),
    };
  }

  #after(ms: number, callback: () => void): () => void {
    let wanted = true;
    const fire = (): void => {
      if (!wanted || !this.alive) return;
      wanted = false;
      callback();
    };
    // A timer never fires early, and a little late on a machine that has other work.
    const timer = this.world.in(Math.max(0, ms) + this.world.random.delay(0, 1.5), () => {
      if (!this.alive) return;
      if (this.stopped) this.#timers.push(fire);
      else {
        this.world.stirred();
        fire();
      }
    });
    return () => {
      wanted = false;
      timer.cancelled = true;
    };
  }

  /** Something reaches it: a message, a child's end, a completed write. */
  deliver(work: () => void): void {
    if (!this.alive) return;
    if (this.stopped) this.#arrived.push(work);
    else {
      this.world.stirred();
      work();
    }
  }

  /** Something outside takes so long, then it is told. */
  later(ms: number, work: () => void): void {
    this.world.in(ms, () => this.deliver(work));
  }

  stop(): void {
    this.stopped = true;
  }

  resume(): void {
    if (!this.stopped) return;
    this.stopped = false;
    for (const work of this.#timers.splice(0)) this.world.in(0, () => this.deliver(work));
    for (const work of this.#arrived.splice(0)) this.world.in(0, () => this.deliver(work));
  }

  kill(): void {
    this.alive = false;
    this.#timers = [];
    this.#arrived = [];
  }
}

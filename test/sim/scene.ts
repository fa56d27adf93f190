import type { ExecutionContext } from 'ava';
import { begin, type Fault } from './faults.ts';
import type { Host } from './host.ts';
import { masters, names } from './invariants/truth.ts';
import { order, type Order, type Outcome } from './operators.ts';
import { ADDRESS, World, type WorldOptions } from './world.ts';

/** A pair as most scenarios want it: A preferred (base 10), B the other (100), C the third (150). */
const PAIR: WorldOptions = {
  seed: 1,
  nodes: 2,
  preempt: false,
  policy: {},
  management: false,
  vhids: [{ vhid: 1, advskew: [10, 100, 150], vips4: ['192.0.2.200'], vips6: ['2001:db8::200'] }],
};

/** How one address was held over some time. */
export interface Held {
  /** Longest time nobody was MASTER, ms. */
  readonly darkMs: number;
  /** Longest time more than one was, ms. */
  readonly doubleMs: number;
  /** Who had it, one after the other. */
  readonly by: readonly string[];
}

/** A scripted world in which every invariant holds all along, or the scenario fails with its story. */
export class Scene {
  readonly world: World;
  readonly #t: ExecutionContext;
  readonly A: Host;
  readonly B: Host;

  constructor(t: ExecutionContext, world: World) {
    this.#t = t;
    this.world = world;
    const [A, B] = world.hosts;
    if (A === undefined || B === undefined) throw new RangeError('a scene needs two hosts');
    this.A = A;
    this.B = B;
  }

  get C(): Host {
    const host = this.world.hosts[2];
    if (host === undefined) throw new RangeError('this scene has no third host');
    return host;
  }

  run = (ms: number): Promise<void> => this.world.run(ms);

  /** A fault from now on; returns what heals it. */
  fault = (fault: Fault): (() => void) => begin(this.world, fault);

  /** A fault for so long. */
  async during(ms: number, fault: Fault): Promise<void> {
    const end = begin(this.world, fault);
    await this.run(ms);
    end();
  }

  /** An operator asks the agent of a host and waits for its answer. */
  async order(host: Host, what: Order): Promise<Outcome | null> {
    let outcome: Outcome | null = null;
    let over = false;
    const wait = async (): Promise<void> => {
      outcome = await this.ask(host, what);
      over = true;
    };
    void wait();
    await this.world.until(() => over, 30_000);
    return outcome;
  }

  /** The same without waiting. */
  ask = (host: Host, what: Order, untilMs: number | null = null): Promise<Outcome | null> =>
    order(this.world, host, what, untilMs);

  pin = (host: Host, to: Host): Promise<Outcome | null> =>
    this.order(host, { verb: 'move', address: ADDRESS, to: to.name, unpin: false });

  failback = (host: Host): Promise<Outcome | null> =>
    this.order(host, { verb: 'move', address: ADDRESS, to: null, unpin: true });

  maintenance = (host: Host, node: Host, on: boolean): Promise<Outcome | null> =>
    this.order(host, { verb: 'maintenance', node: node.name, on });

  holder = (): string => names(masters(this.world, 1));

  /** Exactly these hosts are MASTER now. */
  holds(host: Host, text?: string): void {
    this.#t.is(
      this.holder(),
      host.name,
      `${text ?? 'who is MASTER'}\n${this.world.story.text(60)}`,
    );
  }

  /** The advskew in the kernel of each host. */
  advskews = (): number[] => this.world.hosts.map((host) => host.advskew());

  alerts = (host: Host): string[] => (host.agent?.loop?.alerts() ?? []).map(({ id }) => id);

  /** Lets time pass and says how the address was held. */
  async watch(ms: number): Promise<Held> {
    const { world } = this;
    const endMs = world.nowMs + ms;
    let [darkMs, doubleMs, dark, double] = [0, 0, 0, 0];
    const by: string[] = [];
    while (world.nowMs < endMs) {
      const now = this.holder();
      if (by.at(-1) !== now) by.push(now);
      const count = masters(world, 1).length;
      dark = count === 0 ? dark + 1 : 0;
      double = count > 1 ? double + 1 : 0;
      darkMs = Math.max(darkMs, dark);
      doubleMs = Math.max(doubleMs, double);
      await world.run(1);
    }
    return { darkMs, doubleMs, by };
  }
}

/** Runs a scenario in its own world; a violated invariant fails the test and prints what happened. */
export async function scene(
  t: ExecutionContext,
  change: Partial<WorldOptions>,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  const world = new World({ ...PAIR, ...change });
  try {
    await world.begin();
    await act(new Scene(t, world));
  } catch (error) {
    t.log(world.story.text(80));
    throw error;
  }
}

import type { Intent, Policy } from '../../agent/core/model.ts';
import type { Planted } from './planted.ts';
import { checks, type Check } from './invariants/all.ts';
import { areManaged, circumstances } from './invariants/truth.ts';
import { Host } from './host.ts';
import { Network } from './network.ts';
import { Queue, type Happening } from './queue.ts';
import { random, type Random } from './random.ts';
import { Story } from './story.ts';
import { Violation } from './violation.ts';

export interface Vhid {
  readonly vhid: number;
  /** Base advskew of each host, in their order. */
  readonly advskew: readonly number[];
  readonly vips4: readonly string[];
  readonly vips6: readonly string[];
}

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly preempt: boolean;
  readonly policy: Partial<Policy>;
  /** Gossip on a network of its own; otherwise a cut of the LAN cuts both. */
  readonly management: boolean;
  readonly vhids: readonly Vhid[];
  /** advbase of each host; 1 unless said. */
  readonly advbase?: readonly number[];
  readonly planted?: Planted | undefined;
  /** Names of the invariants that are not looked at. */
  readonly without?: readonly string[];
}

export const POLICY: Policy = {
  failback: 'auto',
  holdMs: 10_000,
  maxMoves: 3,
  windowMs: 600_000,
  earlyTakeoverMs: 250,
  fence: true,
};

export const ADDRESS = '1@vtnet0';
const DAY_MS = 86_400_000;
const NAMES = ['haproxy01', 'haproxy02', 'haproxy03'];

/**
 * Two or three hosts, their kernels, agents, HAProxies and the networks
 * between them, in simulated time. The agents are the real loop, core, gossip
 * and store; everything below their ports is made here. Nothing depends on
 * real time or on any chance but the seed's.
 */
export class World {
  readonly options: WorldOptions;
  readonly policy: Policy;
  readonly random: Random;
  readonly story: Story;
  readonly network: Network;
  readonly hosts: readonly Host[];
  nowMs = 0;
  /** When the last fault began or ended, or an operator last asked for something. */
  troubledAtMs = 0;
  /** Faults that are on now, by what they are. */
  readonly faults = new Set<string>();
  /** Hosts of which a copy runs. */
  readonly copied = new Set<Host>();
  /** Verbs under way, by the process that carries each out. */
  readonly verbs = new Map<number, { readonly alive: boolean }>();
  /** Every intent that a verb made, by key and stamp. */
  readonly made = new Map<string, Intent>();
  /** What verbs reported as reached on every node, by key: the newest. */
  readonly acknowledged = new Map<string, Intent>();
  #numbers = 0;
  #starts = 0;
  #circumstances: string | null = null;
  readonly #queue = new Queue();
  readonly #checks: readonly Check[];
  #stirred = false;
  #changed = true;

  constructor(options: WorldOptions) {
    this.options = options;
    this.policy = { ...POLICY, ...options.policy };
    this.random = random(options.seed);
    this.story = new Story(() => this.nowMs);
    this.network = new Network(this);
    this.hosts = NAMES.slice(0, options.nodes).map((name, at) => new Host(this, name, at));
    const without = options.without ?? [];
    this.#checks = checks().filter(({ name }) => !without.includes(name));
  }

  /** The hosts come up one after the other; resolves when all agents have joined. */
  async begin(): Promise<void> {
    for (const host of this.hosts) {
      this.in(this.random.between(0, 500), () => {
        host.configure();
        host.startAgent();
      });
    }
    this.watch(250);
    const ready = (): boolean => this.hosts.every(({ agent }) => agent?.isJoined());
    if (!(await this.until(ready, 30_000))) throw new Violation('start', 'the agents did not join');
    await this.run(20_000);
    for (const host of this.hosts) host.backup = host.disk.copyAll();
  }

  host(name: string): Host {
    const found = this.hosts.find((one) => one.name === name);
    if (found === undefined) throw new TypeError(`no host is called ${name}`);
    return found;
  }

  /** A number of its own for one start of an agent. */
  start(): number {
    return ++this.#starts;
  }

  /** Schedules something after so many ms. */
  in(ms: number, run: () => void): Happening {
    return this.#queue.add(this.nowMs + ms, run);
  }

  /** One more than before. */
  number(): number {
    return this.#numbers++;
  }

  /** An agent was given work: its promises have to come to rest before time goes on. */
  stirred(): void {
    this.#stirred = true;
  }

  /** Something that invariants look at is not as it was. */
  changed(): void {
    this.#changed = true;
  }

  /** A fault began or ended, or an operator asked for something. */
  troubled(): void {
    this.troubledAtMs = this.nowMs;
    this.changed();
  }

  /** How long nothing was wrong and nobody asked for anything, ms. */
  quietMs(): number {
    if (this.faults.size > 0) return 0;
    for (const { alive } of this.verbs.values()) if (alive) return 0;
    // Wishes are refused by a clock that is a day behind them, and say so, until it is set.
    const clocks = this.hosts.map(({ clock }) => clock.wallMs);
    if (Math.max(...clocks) - Math.min(...clocks) > DAY_MS) return 0;
    return this.nowMs - this.troubledAtMs;
  }

  /** Lets time pass. Rejects with Violation when an invariant does not hold. */
  async run(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const happening = this.#queue.next(untilMs);
      if (happening === null) break;
      this.nowMs = happening.atMs;
      happening.run();
      if (this.#stirred) {
        this.#stirred = false;
        await settled();
      }
      if (this.#changed) this.check();
    }
    this.nowMs = untilMs;
    this.check();
  }

  /** Waits in simulated time until something holds; false when `limitMs` passed first. */
  async until(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    while (!holds()) {
      if (this.nowMs >= endMs) return false;
      await this.run(Math.min(10, endMs - this.nowMs));
    }
    return true;
  }

  check(): void {
    this.#changed = false;
    // An agent that is away or joining is a fault too, and so is a wish or a budget that ends by itself.
    const now = circumstances(this);
    if (!areManaged(this) || now === null || now !== this.#circumstances)
      this.troubledAtMs = this.nowMs;
    this.#circumstances = now;
    for (const { check } of this.#checks) check(this);
  }

  /** Looks at the invariants every so often even when nothing happens: some of them wait. */
  watch(everyMs: number): void {
    this.in(everyMs, () => {
      this.changed();
      this.watch(everyMs);
    });
  }
}

/** Every promise that can come to rest without time passing has: ticks run after all of them. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

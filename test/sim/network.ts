import type { Family } from '../kernel/kernel.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/**
 * What travels: CARP adverts and echo on the LAN, gossip where it is configured. `lan` stops all
 * that is on it, `port` every connection that `from` opens to the agent of `to`, and no other.
 */
export type Traffic = 'lan' | 'advert' | 'echo' | 'gossip' | 'port';

/** Something that is wrong between hosts. */
export interface Rule {
  readonly traffic: Traffic;
  /** Null: every host. */
  readonly from: string | null;
  readonly to: string | null;
  /** Adverts of one family only. */
  readonly family?: Family;
  /** 1: nothing gets through. */
  readonly loss: number;
  /** Added to each way of gossip, ms. */
  readonly delayMs?: number;
}

/** The gateway on the LAN that answers echo: the witness. */
export const WITNESS = 'witness';

/**
 * The wires between the hosts. A LAN carries adverts and echo; gossip is on
 * the same LAN or on a network of its own.
 */
export class Network {
  readonly #world: World;
  readonly rules = new Set<Rule>();

  constructor(world: World) {
    this.#world = world;
  }

  /** True when one packet gets from one host (or the witness) to another now. */
  passes(traffic: Traffic, from: string, to: string, family?: Family): boolean {
    if (this.rules.size > 0 && !this.#ruled(traffic, from, to, family)) return false;
    if (traffic === 'gossip' && this.#world.options.management) return true;
    return this.isLinked(from) && this.isLinked(to);
  }

  #ruled(traffic: Traffic, from: string, to: string, family: Family | undefined): boolean {
    const onLan = traffic !== 'gossip' || !this.#world.options.management;
    for (const rule of this.rules) {
      if (rule.traffic !== traffic && !(rule.traffic === 'lan' && onLan)) continue;
      if (rule.from !== null && rule.from !== from) continue;
      if (rule.to !== null && rule.to !== to) continue;
      if (rule.family !== undefined && rule.family !== family) continue;
      if (rule.loss >= 1 || this.#world.random.chance(rule.loss)) return false;
    }
    return true;
  }

  /** A filter lets no connection from one host reach the agent of another. */
  isClosed(from: string, to: string): boolean {
    for (const rule of this.rules)
      if (rule.traffic === 'port' && rule.from === from && rule.to === to) return true;
    return false;
  }

  /** True when nothing that is wrong concerns this traffic between these two, either way. */
  isClean(traffic: Traffic, one: string, other: string): boolean {
    const onLan = traffic !== 'gossip' || !this.#world.options.management;
    if (onLan && !(this.isLinked(one) && this.isLinked(other))) return false;
    if (traffic === 'advert' && this.#world.host(one).key !== this.#world.host(other).key)
      return false;
    for (const rule of this.rules) {
      const port = traffic === 'gossip' && rule.traffic === 'port';
      if (rule.traffic !== traffic && !port && !(rule.traffic === 'lan' && onLan)) continue;
      const way = (from: string, to: string): boolean =>
        (rule.from === null || rule.from === from) && (rule.to === null || rule.to === to);
      if (way(one, other) || way(other, one)) return false;
    }
    return true;
  }

  /** One way through for gossip, ms. */
  gossipMs(from: string, to: string): number {
    let ms = this.#world.random.delay(0.1, 3);
    for (const rule of this.rules) {
      if (rule.traffic !== 'gossip' || rule.delayMs === undefined) continue;
      if (rule.from !== null && rule.from !== from) continue;
      if (rule.to !== null && rule.to !== to) continue;
      ms += rule.delayMs * this.#world.random.between(0.5, 1.5);
    }
    return ms;
  }

  isLinked(name: string): boolean {
    if (name === WITNESS) return true;
    const host = this.#world.host(name);
    return host.up && host.linkUp;
  }

  /** Sends an advert to every other host on the LAN. */
  advert(
    from: Host,
    advert: { readonly vhid: number; readonly advbase: number; readonly advskew: number },
    families: readonly Family[],
  ): void {
    const { key } = from;
    for (const to of this.#world.hosts) {
      if (to === from) continue;
      for (const family of families) {
        if (!this.passes('advert', from.name, to.name, family)) continue;
        this.#world.in(this.#world.random.delay(0.1, 1), () =>
          to.hear({ ...advert, interface: 'vtnet0', family, authentic: to.key === key }),
        );
      }
    }
  }

  /** Echo from a host; `answered` is called when a reply comes back. */
  echo(from: string, to: string, answered: () => void): void {
    const { random } = this.#world;
    if (!this.passes('echo', from, to)) return;
    this.#world.in(random.delay(0.1, 2), () => {
      if (to !== WITNESS && this.#world.host(to).paused) return;
      if (!this.passes('echo', to, from)) return;
      this.#world.in(random.delay(0.1, 2), answered);
    });
  }
}

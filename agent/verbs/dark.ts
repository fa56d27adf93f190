import type { AddressReport } from '../core/model.ts';
import type { Pair } from './pair.ts';

/** An address that moves; `from` is empty where nobody was MASTER alone. */
export interface Moving {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

/** Milliseconds by address. */
export type DarkTimes = ReadonlyMap<string, number>;

/**
 * Bounds how long an address that moves was without MASTER: call it before the move, and what it
 * returns after it. The bound reaches from the last reading in which the holder had the address
 * (that on which it named the taker, where it did) to the end of the first in which the taker has
 * it, each as its own host reports it; the kernels change in between. Where the holder says nothing
 * of use it begins at the last word heard of it before the move. What came over the network is dated
 * by its arrival: a bound that spans two hosts is off by the way of one message. Only addresses that
 * arrived have one.
 */
export function watchDark(
  pair: Pick<Pair, 'clock' | 'view'>,
  moving: readonly Moving[],
): () => DarkTimes {
  const startedAtMs = pair.clock.nowMs();
  const heardAtMs = new Map(pair.view().map((one) => [one.node, one.heardAtMs ?? startedAtMs]));
  const on = (node: string, id: string): AddressReport | undefined =>
    pair
      .view()
      .find((one) => one.node === node)
      ?.report?.addresses.find(({ address }) => address === id);
  return () =>
    new Map(
      moving.flatMap(({ id, from, to }) => {
        const there = on(to, id);
        if (there?.state !== 'MASTER') return [];
        const heard = heardAtMs.get(from) ?? startedAtMs;
        const held = on(from, id)?.heldAtMs ?? heard;
        // Read as MASTER on both at once: what lies before that is not known from it.
        const sinceMs = held > there.stateSinceMs ? heard : Math.max(held, heard);
        return [[id, Math.max(0, Math.ceil(there.stateSinceMs - sinceMs))] as const];
      }),
    );
}

import type { NodeReport, NodeView, Unknown } from './model.ts';

/** One address came to one node. Written by the node it came to, once. */
export interface OwnerChange {
  readonly address: string;
  /** Who was last known to have it; null: nobody, as far as this node knows. */
  readonly from: string | null;
  readonly to: string;
  /** agent: this agent took it; kernel: carp(4) did by itself, or somebody by hand; away: while no agent ran here. */
  readonly cause: Cause | Unknown;
  readonly reason: string;
  /** The writer's wall clock, Unix ms. */
  readonly atWallMs: number;
}

export const CAUSES = ['agent', 'kernel', 'away'] as const;
type Cause = (typeof CAUSES)[number];

/** What `history` answers. */
export interface History {
  /** The node that was asked. */
  readonly node: string;
  /** Of all nodes, the newest last. */
  readonly changes: readonly OwnerChange[];
  /** Nodes whose part is missing, and why. */
  readonly missing: readonly { readonly node: string; readonly cause: string }[];
}

/** So many are kept. */
export const HISTORY_LIMIT = 200;

/** The addresses that the first reading after a start found here, and that were not here when the agent before ended. */
export function foundHere(
  held: readonly string[],
  me: NodeReport,
  wallMs: number,
): readonly OwnerChange[] {
  return me.addresses
    .filter(({ address, state }) => state === 'MASTER' && !held.includes(address))
    .map(({ address }) => ({
      address,
      from: null,
      to: me.node,
      cause: 'away',
      reason: 'it was here when the agent started',
      atWallMs: wallMs,
    }));
}

/** An address that this node had and has no more; times of its monotonic clock. */
export interface GivenUp {
  readonly address: string;
  /** Since when it was MASTER. */
  readonly hadSinceMs: number;
  /** The writer's wall clock when it was read as gone, Unix ms. */
  readonly atWallMs: number;
}

/** The addresses that are BACKUP or INIT (a fence) here now and were MASTER in the report before. */
export const givenUp = (before: NodeReport | null, me: NodeReport, wallMs: number): GivenUp[] =>
  me.addresses.flatMap(({ address, state }) => {
    const had = before?.addresses.find((one) => one.address === address);
    return had?.state === 'MASTER' && (state === 'BACKUP' || state === 'INIT')
      ? [{ address, hadSinceMs: had.stateSinceMs, atWallMs: wallMs }]
      : [];
  });

/**
 * The end of two MASTERs as a record; null: no such end; undefined: not known yet, for no other node
 * is heard to have the address. Whoever had it before this node did and has it still never lost it:
 * nothing came to that node, so it writes nothing.
 */
export function wentBack(
  { address, hadSinceMs, atWallMs }: GivenUp,
  me: NodeReport,
  peers: readonly NodeView[],
): OwnerChange | null | undefined {
  const masters = peers.flatMap(({ node, fresh, report }) => {
    const theirs = report?.addresses.find((one) => one.address === address);
    return fresh && theirs?.state === 'MASTER' ? [{ node, sinceMs: theirs.stateSinceMs }] : [];
  });
  const [one] = masters;
  if (one === undefined) return undefined;
  if (masters.length > 1 || one.sinceMs >= hadSinceMs) return null;
  const reason = `${one.node} had it all the while: both were MASTER, and ${me.node} gave it up`;
  return { address, from: me.node, to: one.node, cause: 'kernel', reason, atWallMs };
}

/** The addresses of which this node is MASTER, sorted. */
export const heldBy = ({ addresses }: NodeReport): string[] =>
  addresses
    .filter(({ state }) => state === 'MASTER')
    .map(({ address }) => address)
    .sort();

import type { NodeReport, Unknown } from './model.ts';

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

/** The addresses of which this node is MASTER, sorted. */
export const heldBy = ({ addresses }: NodeReport): string[] =>
  addresses
    .filter(({ state }) => state === 'MASTER')
    .map(({ address }) => address)
    .sort();

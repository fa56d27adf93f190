import type { NodeReport } from '../core/model.ts';

/** What gossip keeps of one configured peer; readings of this host's monotonic clock. */
export interface Peer {
  readonly node: string;
  heardAtMs: number | null;
  /** When `report` was last known to be the present one: received, or its number in a heartbeat. */
  currentAtMs: number | null;
  agentGoneAtMs: number | null;
  goneBecause: string;
  report: NodeReport | null;
  /** When `report` was the present one by the word of another that hears it; null: nobody said so. */
  relayedAtMs: number | null;
  /** Whom it was asked of, because they named it as heard. */
  askedOf: string | null;
  /** Its wall clock less ours when its last report arrived. */
  clockOffMs: number | null;
  intentsSentAtMs: number | null;
  /** Since when its heartbeats have told of other intents than ours; null: they tell of the same. */
  differsSinceMs: number | null;
}

/** A peer before anything was heard of it. */
export const unheard = (node: string): Peer => ({
  node,
  heardAtMs: null,
  currentAtMs: null,
  agentGoneAtMs: null,
  goneBecause: '',
  report: null,
  relayedAtMs: null,
  askedOf: null,
  clockOffMs: null,
  intentsSentAtMs: null,
  differsSinceMs: null,
});

interface Version {
  readonly epoch: number;
  readonly sequence: number;
}

/** Only its writer counts up; a new start of the agent has a higher epoch. */
export const isNewer = (a: Version, b: Version): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : a.sequence > b.sequence;

import type { Intent, NodeReport, Seen } from './model.ts';

/** What agents say to each other. */
export type GossipMessage =
  | {
      readonly kind: 'hello';
      readonly node: string;
      readonly pair: string;
      readonly protocol: number;
      readonly agentVersion: string;
      readonly epoch: number;
    }
  | {
      readonly kind: 'heartbeat';
      readonly epoch: number;
      readonly sequence: number;
      readonly intentsDigest: string;
      readonly seen: readonly Seen[];
      readonly heard: readonly Heard[];
    }
  | { readonly kind: 'report'; readonly report: NodeReport; readonly ageMs: number }
  | { readonly kind: 'intents'; readonly intents: readonly Intent[] }
  | { readonly kind: 'want-intents' }
  | { readonly kind: 'want-report'; readonly node: string }
  | { readonly kind: 'goodbye'; readonly reason: string };

/** A node that the sender hears itself, and how long ago its report was the present one. */
export interface Heard {
  readonly node: string;
  readonly ageMs: number;
}

/** Version of the gossip; peers one apart talk to each other. */
export const PROTOCOL = 1;

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
    }
  | { readonly kind: 'report'; readonly report: NodeReport; readonly ageMs: number }
  | { readonly kind: 'intents'; readonly intents: readonly Intent[] }
  | { readonly kind: 'want-intents' }
  | { readonly kind: 'want-report'; readonly node: string }
  | { readonly kind: 'goodbye'; readonly reason: string };

/** Version of the gossip; peers one apart talk to each other. */
export const PROTOCOL = 1;

import type { Intent, NodeReport, Seen, Start } from './model.ts';

/** What agents say to each other. */
export type GossipMessage =
  | (Start & {
      readonly kind: 'hello';
      readonly node: string;
      readonly pair: string;
      readonly protocol: number;
      readonly agentVersion: string;
    })
  | (Start & {
      readonly kind: 'heartbeat';
      readonly sequence: number;
      readonly intentsDigest: string;
      readonly seen: readonly Seen[];
      readonly heard: readonly Heard[];
    })
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

/**
 * Version of the gossip; peers one apart talk to each other. A new field is safe
 * towards any of them: who does not know it leaves it out. A new word or enum value in a
 * field that was there, and a new kind of message, is not: an agent of protocol 1 may
 * drop the whole message with it and hold the sender for silent. It goes only to a peer
 * whose report or hello names a higher protocol; what reads it as unknown, as this build
 * does, is still not told what was meant.
 */
export const PROTOCOL = 1;

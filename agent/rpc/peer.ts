import type { ServerReading, SwapPrepare, SwapReading } from '../core/acts.ts';
import type { GossipMessage } from '../core/gossip.ts';
import type { Intent } from '../core/model.ts';

/** What the other agents can ask of this one; `node` is always the certificate's. */
export interface PeerVerbs {
  hello(): GossipMessage & { readonly kind: 'hello' };
  /** Never a hello, and never before gossipOpened. */
  receive(node: string, message: GossipMessage): void;
  gossipOpened(node: string, hello: GossipMessage & { readonly kind: 'hello' }): void;
  /** 'ended': the other side closed it; 'reset': it was cut. Not called when a newer stream took its place. */
  gossipClosed(node: string, how: 'ended' | 'reset'): void;
  /** Resolves after fsync; `newer`: what is stored here and wins over what was sent. */
  storeIntents(
    node: string,
    intents: readonly Intent[],
  ): Promise<{ readonly newer: readonly Intent[] }>;
  /** Throws ActFailure 'not-found' where the backend is not. */
  findServers(instance: string, backend: string): Promise<readonly ServerReading[]>;
  swapPrepare(node: string, swap: SwapPrepare): Promise<SwapReading>;
  swapCommit(node: string, swapId: string): Promise<SwapReading>;
  swapAbort(node: string, swapId: string): Promise<SwapReading>;
  swapFinish(node: string, swapId: string): Promise<SwapReading>;
}

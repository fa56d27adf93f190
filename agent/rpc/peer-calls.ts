import type { ServerReading, SwapPrepare, SwapReading } from '../core/acts.ts';
import type { Intent } from '../core/model.ts';

/**
 * What this agent asks of one peer, over the connection its gossip holds. Each
 * call ends within `deadlineMs` or throws ActFailure: the peer's own, or
 * 'unreachable' where nothing was sent (a reading: where nothing came back),
 * or 'result-unknown' where a change was sent and no answer came.
 */
export interface PeerCalls {
  storeIntents(
    intents: readonly Intent[],
    deadlineMs: number,
  ): Promise<{ readonly newer: readonly Intent[] }>;
  findServers(
    instance: string,
    backend: string,
    deadlineMs: number,
  ): Promise<readonly ServerReading[]>;
  swapPrepare(swap: SwapPrepare, deadlineMs: number): Promise<SwapReading>;
  swapCommit(swapId: string, deadlineMs: number): Promise<SwapReading>;
  swapAbort(swapId: string, deadlineMs: number): Promise<SwapReading>;
  swapFinish(swapId: string, deadlineMs: number): Promise<SwapReading>;
}

import type { Risk, SwapBundle } from '../acts.ts';
import type { ListenerCheck } from './listener-check.ts';
import type { Stamp } from '../model.ts';

/** The warning of a node that has exactly this bundle in memory and on disk. */
export const ALREADY_THERE = 'already in memory and on disk';

/** One certificate of a swap on one node. */
interface SwapCertificate {
  /** The same on every node: the path, unless [certificates] map has another. */
  readonly name: string;
  readonly path: string;
  readonly fingerprintBefore: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly names: readonly string[];
  readonly warnings: readonly string[];
  /** Of the normalised bundle. */
  readonly sha256: string;
  /** What its listeners showed; absent: an older agent did not say. */
  readonly checks?: readonly ListenerCheck[];
}

/** What one node answers to a step of a certificate swap. */
export interface SwapReading {
  readonly node: string;
  readonly certificates: readonly SwapCertificate[];
}

export interface SwapPrepare {
  readonly swapId: string;
  /** One after the other through HAProxy, all or none. */
  readonly bundles: readonly SwapBundle[];
  readonly dryRun: boolean;
  readonly acceptRisks: readonly Risk[];
  readonly coordinator: string;
  readonly members: readonly string[];
  /** Of the intents it becomes, the same on every node that completes it. */
  readonly stamp: Stamp;
  readonly actor: string;
  readonly reason: string;
}

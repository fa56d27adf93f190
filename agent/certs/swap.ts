import type { SwapPrepare, SwapReading } from '../core/acts.ts';
import type { SwapJournal } from './journal.ts';
import type { CertificateFiles, HaproxyCertificates, VerifyServed } from './port.ts';

/** What one node's part of a swap works with. */
export interface NodeSwapParts {
  /** This node's name. */
  readonly node: string;
  readonly haproxy: HaproxyCertificates;
  readonly files: CertificateFiles;
  readonly journal: SwapJournal;
  readonly verify: VerifyServed;
  /** Unix ms. */
  readonly wallMs: () => number;
}

/** What a restart found of a swap and made of it. */
export interface SwapRecovery {
  readonly swapId: string;
  readonly path: string;
  /**
   * `aborted`: the old bundle is in memory and on disk, nothing is left open.
   * `committed`: the new one is in both; `finish` or `abort` is awaited.
   * `unresolved`: not done, see `problem`; the journal stays and `recover` can be called again.
   */
  readonly state: 'aborted' | 'committed' | 'unresolved';
  readonly fingerprint: string;
  readonly problem: string;
}

export interface NodeSwap {
  prepare(request: SwapPrepare): Promise<SwapReading>;
  commit(swapId: string): Promise<SwapReading>;
  abort(swapId: string): Promise<SwapReading | null>;
  finish(swapId: string): Promise<SwapReading | null>;
  recover(): Promise<{
    readonly swaps: readonly SwapRecovery[];
    readonly damaged: readonly Error[];
  }>;
}

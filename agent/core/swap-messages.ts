import type { Risk } from './acts.ts';
import type { Intent, Stamp } from './model.ts';

/** One bundle of a swap. */
export interface SwapBundle {
  /** As HAProxy names it; null: the one loaded path whose names the leaf covers exactly. */
  readonly path: string | null;
  readonly pem: string;
  /** It need not be loaded: then it becomes a new one of this crt-list. */
  readonly into?: NewInto;
}

/** The crt-list that a new certificate goes into. */
export interface NewInto {
  /** Its file, or that file's name in [certificates] map. */
  readonly list: string;
  /** Server names it is served for, `!NAME` for those it is not; empty: its own. */
  readonly filters: readonly string[];
}

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

/** One certificate of one node; fingerprints are SHA-1 of the leaf, null where not known. */
export interface InspectedCertificate {
  readonly name: string;
  readonly path: string;
  readonly memory: string | null;
  readonly disk: string | null;
  readonly served: string | null;
  /** Of the bundle on disk. */
  readonly sha256: string | null;
  readonly notAfter: string;
  readonly names: readonly string[];
  /** Why something is not known; empty when all is. */
  readonly problem: string;
  /** What a rollback brings back; null: none is kept. */
  readonly previous: string | null;
  /** RFC 3339 UTC: when the agents order it anew; empty: they do not. */
  readonly renewal: string;
}

/** The certificates of every node, and what was decided of them. */
export interface Certificates {
  readonly node: string;
  readonly nodes: readonly {
    readonly node: string;
    /** Why it could not be asked; empty: it was. */
    readonly problem: string;
    readonly certificates: readonly InspectedCertificate[];
  }[];
  readonly intents: readonly Intent[];
}

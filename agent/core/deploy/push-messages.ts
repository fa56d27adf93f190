import type { Risk } from '../acts.ts';
import type { SwapPhase } from '../certs/swap.ts';

/** What every node is told before a configuration is pushed. */
export interface PushPrepare {
  /** A short plain word, the same for the same push. */
  readonly pushId: string;
  /** As it was signed: CMS in DER. */
  readonly message: Uint8Array;
  /** Looks only; nothing of it stays. */
  readonly dryRun: boolean;
  readonly acceptRisks: readonly Risk[];
  readonly coordinator: string;
  readonly members: readonly string[];
  /** So long a backend that was up may be down after the reload. */
  readonly settleMs: number;
  readonly actor: string;
  readonly reason: string;
}

/** What a node says of a push. */
export interface PushReading {
  readonly node: string;
  readonly number: number;
  /** It has just this configuration: nothing is touched. */
  readonly already: boolean;
  /** What its HAProxy's own check printed. */
  readonly lines: readonly string[];
}

/** What of HAProxy has to be the same after a reload. */
export interface Before {
  readonly pid: number;
  /** Backends that were up. */
  readonly up: readonly string[];
  /** SHA-1 of the leaf, by path. */
  readonly certificates: Readonly<Record<string, string>>;
}

/** A push on one node, as its journal has it. */
export interface PushEntry {
  readonly pushId: string;
  readonly phase: SwapPhase;
  /** Another node has verified it: it is completed here, however often that has to be tried. */
  readonly decided: boolean;
  readonly number: number;
  readonly already: boolean;
  /** As DeployState.digest: what was there. */
  readonly digest: string;
  readonly coordinator: string;
  readonly members: readonly string[];
  readonly settleMs: number;
  readonly actor: string;
  readonly reason: string;
  readonly before: Before;
}

/** What a node is asked for once it is prepared. */
export const PUSH_STEPS = ['install', 'keep', 'back'] as const;
export type PushStep = (typeof PUSH_STEPS)[number];

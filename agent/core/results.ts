import type { ListenerCheck } from './certs/listener-check.ts';
import type { DrillPlan } from './drill.ts';
import type { Intent, Unknown } from './model.ts';

/** How an act ended; proxyctl's exit code follows from it. */
export type Outcome =
  | 'reached'
  | 'failed'
  | 'usage'
  | 'would-change'
  | 'not-authorised'
  | 'unsafe'
  | 'partial'
  | 'result-unknown'
  | 'not-found'
  | 'conflict'
  | 'unreachable'
  | 'timeout';

export interface ActError {
  /** Stable word in snake_case. */
  readonly code: string;
  readonly message: string;
  readonly cause: string;
  readonly remediation: string;
  readonly retryable: boolean;
}

export interface NodeOutcome {
  readonly node: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly error: ActError | null;
}

export interface MovedAddress {
  readonly address: string;
  readonly vhid: number;
  readonly vips: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly outcome:
    'moved' | 'already' | 'unpinned' | 'would-move' | 'would-unpin' | 'failed' | Unknown;
  /** Upper bound of the time nobody was MASTER, in ms; null: unknown. */
  readonly darkMsMax: number | null;
  /**
   * Established sessions of the host it leaves, of all its addresses: a move cuts those that use
   * this one. Of one that moves or would; null: not known, or it does not move.
   */
  readonly sessions: number | null;
  readonly pin: Intent | null;
}

export interface ServerOutcome {
  readonly instance: string;
  readonly backend: string;
  readonly server: string;
  readonly node: string;
  readonly before: string;
  readonly after: string;
  readonly sessions: number;
}

export interface CertificateOutcome {
  readonly node: string;
  readonly path: string;
  readonly fingerprintBefore: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly names: readonly string[];
  /** What its listeners showed; absent: an older agent did not say. */
  readonly checks?: readonly ListenerCheck[];
  readonly outcome: 'swapped' | 'already' | 'would-swap' | 'rolled-back' | 'failed' | Unknown;
}

export const PUSHED = ['installed', 'already', 'would-install', 'rolled-back', 'failed'] as const;

/** A configuration that was pushed. */
export interface PushedConfig {
  readonly number: number;
  readonly nodes: readonly {
    readonly node: string;
    readonly outcome: (typeof PUSHED)[number] | Unknown;
  }[];
}

export interface ActResult {
  readonly outcome: Outcome;
  readonly changed: boolean;
  readonly requestId: string;
  /** The node that carried it out. */
  readonly node: string;
  readonly tookMs: number;
  readonly nodes: readonly NodeOutcome[];
  readonly error: ActError | null;
  readonly addresses: readonly MovedAddress[];
  readonly servers: readonly ServerOutcome[];
  readonly certificates: readonly CertificateOutcome[];
  /** Of a rehearsal alone. */
  readonly drill?: DrillPlan;
  /** Of a push of a configuration alone. */
  readonly config?: PushedConfig;
}

export interface Progress {
  /** One word: checking, storing, moving, staging, committing, confirmed. */
  readonly step: string;
  readonly text: string;
  readonly tookMs: number;
  /** For a bar: so much of it is done; absent where a step has no measure. */
  readonly part?: { readonly done: number; readonly of: number };
}

/**
 * An act that ends early, with the outcome and the error an operator reads.
 * Thrown by verbs and by what they call on a peer; rpc carries it across.
 */
export class ActFailure extends Error {
  override readonly name = 'ActFailure';
  readonly outcome: Outcome;
  readonly detail: ActError;

  constructor(
    outcome: Outcome,
    detail: Partial<ActError> & Pick<ActError, 'code' | 'message'>,
    options?: ErrorOptions,
  ) {
    super(detail.message, options);
    this.outcome = outcome;
    this.detail = { cause: '', remediation: '', retryable: false, ...detail };
  }
}

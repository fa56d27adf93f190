import type { Drift, Intent, NodeReport, PeerClass, Stamp } from './model.ts';
import type { SwapBundle } from './swap-messages.ts';

/** What operators can ask, and how it ended. Mirrors proto/proxyctl/v1/control.proto without the wire. */

export type Role = 'viewer' | 'operator' | 'admin';

/** Who asks, as the listener established it. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
}

/** Dangers an operator may accept by name; a closed list. */
export const RISKS = [
  'last-server',
  'peer-unknown',
  'peer-unhealthy',
  'names-lost',
  'stale-view',
] as const;
export type Risk = (typeof RISKS)[number];

export interface ActHeader {
  readonly requestId: string;
  /** Who asks, for the record. */
  readonly actor: string;
  readonly reason: string;
  readonly acceptRisks: readonly Risk[];
  readonly dryRun: boolean;
  /** Null: the agent's own limit. */
  readonly timeoutMs: number | null;
  /** The newest intent the caller saw for what it changes; null: did not look. */
  readonly seen: Stamp | null;
}

export interface MoveAct {
  readonly header: ActHeader;
  /** ADDRESS ids or bare vhids; empty: all. */
  readonly addresses: readonly string[];
  /** Null: the other node, or of several the preferred able one. */
  readonly to: string | null;
  /** Take the pin back instead. */
  readonly unpin: boolean;
  readonly untilMs: number | null;
}

export interface MaintenanceAct {
  readonly header: ActHeader;
  readonly node: string;
  readonly on: boolean;
  readonly untilMs: number | null;
}

export interface AutomationAct {
  readonly header: ActHeader;
  readonly paused: boolean;
  readonly untilMs: number | null;
}

export type AdminState = 'ready' | 'drain' | 'maint';

/** What happens when sessions are left at the deadline of a wait. */
export const DEADLINES = ['leave', 'maint', 'kill', 'fail'] as const;
export type Deadline = (typeof DEADLINES)[number];

export interface ServersAct {
  readonly header: ActHeader;
  /** [INSTANCE:]BACKEND[/SERVER] */
  readonly targets: readonly string[];
  readonly state: AdminState;
  readonly untilMs: number | null;
  /** Wait until no session is left, and what to do if that takes longer; null: do not wait. */
  readonly wait: Deadline | null;
}

export interface WeightAct {
  readonly header: ActHeader;
  readonly targets: readonly string[];
  /** "50", "50%", or null: as configured again. */
  readonly weight: string | null;
  readonly untilMs: number | null;
}

export interface PushAct {
  readonly header: ActHeader;
  readonly bundles: readonly SwapBundle[];
}

export interface RollbackAct {
  readonly header: ActHeader;
  readonly paths: readonly string[];
}

/** An answer to an ACME http-01 challenge, on every node. */
export interface ChallengeAct {
  readonly header: ActHeader;
  readonly token: string;
  /** Null: take it back. */
  readonly keyAuthorization: string | null;
  /** Whom it is for, for the record; may be empty. */
  readonly domain: string;
}

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
  readonly outcome: 'moved' | 'already' | 'unpinned' | 'would-move' | 'failed';
  /** Upper bound of the time nobody was MASTER, in ms; null: unknown. */
  readonly darkMsMax: number | null;
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
  readonly outcome: 'swapped' | 'already' | 'would-swap' | 'rolled-back' | 'failed';
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
}

export interface Progress {
  /** One word: checking, storing, moving, staging, committing, confirmed. */
  readonly step: string;
  readonly text: string;
  readonly tookMs: number;
  /** For a bar: so much of it is done; absent where a step has no measure. */
  readonly part?: { readonly done: number; readonly of: number };
}

export interface NodeStatus {
  readonly node: string;
  readonly peerClass: PeerClass;
  readonly ageMs: number | null;
  readonly report: NodeReport | null;
  /** Why it is not heard; empty when it is. */
  readonly problem: string;
}

interface Verdict {
  readonly address: string;
  readonly owner: string | null;
  readonly reason: string;
  readonly sinceMs: number;
  readonly pin: Intent | null;
}

export interface Alert {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly sinceMs: number;
}

export interface Status {
  readonly pair: string;
  readonly node: string;
  readonly paused: boolean;
  readonly nodes: readonly NodeStatus[];
  readonly verdicts: readonly Verdict[];
  readonly intents: readonly Intent[];
  readonly alerts: readonly Alert[];
}

/** One server of a backend as HAProxy has it. */
export interface ServerReading {
  readonly backend: string;
  readonly name: string;
  /** UP, DOWN, DRAIN, MAINT, NOLB or "no check". */
  readonly status: string;
  /** What HAProxy was told. */
  readonly admin: AdminState;
  /** srv_admin_state of HAProxy, bit by bit; core/admin.ts reads it. */
  readonly adminBits: number;
  /** What it was told, and what it is configured with. */
  readonly weight: number;
  readonly initialWeight: number;
  /** Those that run and those that queue for it. */
  readonly sessions: number;
  readonly queued: number;
  /** Sessions since HAProxy started. */
  readonly total: number;
  /** As `show stat` has it, like "L7OK"; empty without a check, and in maintenance. */
  readonly check: string;
  readonly backup: boolean;
}

/** The servers of one node, or why they are not known. */
export interface NodeServers {
  readonly node: string;
  readonly problem: string;
  readonly servers: readonly ServerReading[];
  /** Servers changed past the agents, as its last report has them: the first 20; absent: none. */
  readonly drift?: readonly Drift[];
}

/** What `proxyctl servers` shows. */
export interface ServersAnswer {
  readonly node: string;
  readonly nodes: readonly NodeServers[];
  /** All that are in force for a server. */
  readonly intents: readonly Intent[];
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

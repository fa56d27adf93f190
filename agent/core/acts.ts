import type { Stamp } from './model.ts';

/** What operators can ask. Mirrors proto/proxyctl/v1/control.proto without the wire. */

export type Role = 'viewer' | 'operator' | 'admin';

/** Dangers an operator may accept by name; a closed list. */
export const RISKS = [
  'last-server',
  'peer-unknown',
  'peer-unhealthy',
  'names-lost',
  'stale-view',
  'local-changes',
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
  /** The newest intent that was known where the caller looked; null: did not look. */
  readonly seen: Stamp | null;
}

export interface MoveAct {
  readonly header: ActHeader;
  /** ADDRESS ids or bare vhids; empty: all. */
  readonly addresses: readonly string[];
  /** Null: where it is pinned to already, else the other node, or of several the preferred able one. */
  readonly to: string | null;
  /** Away from the node that has it now, whatever was said before. */
  readonly toggle: boolean;
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

export interface PushAct {
  readonly header: ActHeader;
  readonly bundles: readonly SwapBundle[];
}

/** A configuration of HAProxy for every node. */
export interface ConfigPushAct {
  readonly header: ActHeader;
  /** As an operator has signed it: CMS in DER. */
  readonly message: Uint8Array;
  /** So long a backend that was up may be down after a reload. */
  readonly settleMs: number;
}

/** Whose certificates are no longer good, as the CA has signed it. */
export interface RevocationAct {
  readonly header: ActHeader;
  /** PEM, one list a CA. */
  readonly list: string;
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

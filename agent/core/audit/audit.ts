import type { AutomationAct, ChallengeAct, MaintenanceAct, MoveAct, PushAct } from '../acts.ts';
import type { DrillAct, DrillSeenAct } from '../drill.ts';
import type { ConfigPushAct } from '../acts.ts';
import type { RevocationAct, Role, RollbackAct, ServersAct, WeightAct } from '../acts.ts';
import type { ActError, ActResult } from '../results.ts';

/**
 * Who asked, by what the door they came through proves: a certificate names, a unix socket only
 * says which socket it was, for Node has no getpeereid(3). What somebody says of themselves is
 * never here.
 */
export type AuditWho =
  | {
      readonly how: 'certificate';
      /** Null: it carries no name of this pair. */
      readonly name: string | null;
      readonly role: Role | 'node' | null;
      readonly serial: string | null;
    }
  | {
      readonly how: 'socket';
      readonly socket: string;
      /** What everybody who may connect there may do. */
      readonly role: Role;
      /** Null: the system does not tell. */
      readonly uid: number | null;
      readonly pid: number | null;
    }
  | { readonly how: 'agent' | 'signal' };

/** What happened, as a word of the record. */
export const AUDIT_EVENTS = [
  'begun',
  'ended',
  'refused',
  'read',
  'learnt',
  'handshake',
  'revoked',
  'reload',
  'started',
  'stopped',
  'lost',
] as const;
type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** One line of the audit log. */
export interface AuditEntry {
  /** RFC 3339 in UTC with milliseconds, by the clock of the node that wrote it. */
  readonly time: string;
  readonly node: string;
  /** 'unknown': a word of a newer agent. */
  readonly event: AuditEvent | 'unknown';
  /** A verb, a call, or what a handshake was for. */
  readonly what: string;
  /** Null: nobody that is known. */
  readonly who: AuditWho | null;
  /** IP:PORT, 'unix socket', or empty. */
  readonly from: string;
  /** Who they say they are; proves nothing. */
  readonly claimed: string | null;
  readonly reason: string;
  readonly requestId: string;
  readonly dryRun: boolean;
  /** What it is about: addresses, targets, nodes, certificates; the first of `objectsCount`. */
  readonly objects: readonly string[];
  readonly objectsCount: number;
  readonly args: Readonly<Record<string, string | number | boolean>>;
  /** For whom a node asks, as that node says; the first of `askedCount`. */
  readonly asked: readonly { readonly actor: string; readonly requestId: string }[];
  readonly askedCount: number;
  readonly outcome: string;
  /** The error's word, and what it says. */
  readonly code: string;
  readonly message: string;
  readonly changed: boolean | null;
  readonly nodes: readonly AuditedOutcome[];
  readonly tookMs: number | null;
  /** One line for so many; null: it stands for itself. */
  readonly count: number | null;
}

interface AuditedOutcome {
  readonly node: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly code: string;
}

/** The side that called, as its connection shows it. */
export interface AuditCaller {
  readonly who: AuditWho;
  readonly from: string;
}

/** What an operator can ask to be changed. */
export type AuditedAct =
  | MoveAct
  | MaintenanceAct
  | AutomationAct
  | ServersAct
  | WeightAct
  | PushAct
  | ConfigPushAct
  | RollbackAct
  | RevocationAct
  | ChallengeAct
  | DrillAct
  | DrillSeenAct;

/** What another node asks of this one. */
export interface PeerAsk {
  readonly what: string;
  readonly objects?: readonly string[];
  readonly args?: AuditEntry['args'];
  readonly asked?: AuditEntry['asked'];
  readonly reason?: string;
  readonly dryRun?: boolean;
}

/** How what was begun ended. */
export type AuditEnd = Pick<ActResult, 'outcome' | 'changed' | 'nodes' | 'certificates'> & {
  readonly error: Pick<ActError, 'code' | 'message'> | null;
};

export interface AuditRefusal extends AuditCaller {
  readonly what: string;
  readonly code: string;
  readonly message: string;
}

/**
 * Where it is written who did what. Nothing here throws or waits: an act goes on where nothing
 * can be written, and that is an alert.
 */
export interface Audit {
  /** On record before anything is done, whatever becomes of this process; call what it returns at the end. */
  act(caller: AuditCaller, what: string, act: AuditedAct): (end: AuditEnd) => void;
  /** The same for a node that has another one store or do something. */
  peerCall(caller: AuditCaller, ask: PeerAsk): (end: AuditEnd) => void;
  /** False: one of too many of that caller, of which the record has a number. */
  refused(refusal: AuditRefusal): boolean;
  /** Something was read that is not for everybody who may look. */
  read(caller: AuditCaller, what: string, objects: readonly string[]): void;
  /** `count` connections from `source` did not get through the handshake, or lost their certificate. */
  handshakesRefused(of: {
    readonly source: string;
    readonly cause: string;
    readonly count: number;
  }): void;
}

/** Which lines are asked for. */
export interface AuditAsk {
  /** Not older than this, ms; null: however old. */
  readonly sinceMs: number | null;
  /** A certificate's name, or one that somebody claimed; empty: all. */
  readonly who: string;
  /** The newest so many. */
  readonly limit: number;
}

/** For whom a node has decisions stored, each act once. */
export const actsOf = (
  decisions: readonly { readonly actor: string; readonly requestId: string }[],
): AuditEntry['asked'] => {
  const acts = new Map(
    decisions.map(({ actor, requestId }) => [`${requestId} ${actor}`, { actor, requestId }]),
  );
  return [...acts.values()];
};

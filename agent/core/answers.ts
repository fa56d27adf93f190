import type { ListenerCheck } from './certs/listener-check.ts';
import type { AdminState } from './acts.ts';
import type { Severity } from './alerts/alert.ts';
import type {
  Drift,
  Health,
  Intent,
  LostServer,
  NodeReport,
  PeerClass,
  Stamp,
  Unknown,
} from './model.ts';

/** What operators are shown. Mirrors proto/proxyctl/v1/control.proto without the wire. */

export interface NodeStatus {
  readonly node: string;
  readonly peerClass: PeerClass | Unknown;
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

/** One thing that is not as it should be. */
export interface Alert {
  /** Stable word: one of ALERTS, or of a newer agent. */
  readonly id: string;
  /** Who noticed it. */
  readonly node: string;
  readonly subject: string;
  readonly severity: Severity;
  readonly text: string;
  /** What to do; empty where it says itself. */
  readonly remedy: string;
  /** Null: not known. */
  readonly sinceMs: number | null;
}

export interface Status {
  readonly pair: string;
  readonly node: string;
  readonly paused: boolean;
  readonly nodes: readonly NodeStatus[];
  readonly verdicts: readonly Verdict[];
  readonly intents: readonly Intent[];
  readonly alerts: readonly Alert[];
  /** The newest stamp of any intent that this agent knows, taken back or not; null: of an older agent. */
  readonly newest: Stamp | null;
}

/** One server of a backend as HAProxy has it. */
export interface ServerReading {
  readonly backend: string;
  readonly name: string;
  /** UP, DOWN, DRAIN, MAINT, NOLB or "no check". */
  readonly status: string;
  /** What HAProxy was told. */
  readonly admin: AdminState | Unknown;
  /** srv_admin_state of HAProxy, bit by bit; core/servers/admin.ts reads it. */
  readonly adminBits: number;
  /** What it was told, and what it is configured with. */
  readonly weight: number;
  readonly initialWeight: number;
  /** Those that run and those that queue for it, in older processes of HAProxy too. */
  readonly sessions: number;
  /** So many of them are of older processes. */
  readonly older: number;
  /** So many older processes cannot be asked and may have more. */
  readonly uncounted: number;
  readonly queued: number;
  /** Sessions since HAProxy started. */
  readonly total: number;
  /** As `show stat` has it, like "L7OK"; empty without a check, and in maintenance. */
  readonly check: string;
  readonly backup: boolean;
  /** `agent-check`: its own agent may set state and weight behind what it is told. */
  readonly agentChecked: boolean;
  /** A reload begins with what a file says of it (`load-server-state-from-file`). */
  readonly stateFile: boolean;
  /** Its IP; "-": it has none yet, or is a unix socket. Null: an older agent, which does not say. */
  readonly address: string | null;
  readonly figures: ServerFigures;
}

/** What HAProxy counts of a server since it started; null: it does not say, or an older agent. */
export interface ServerFigures {
  readonly connectErrors: number | null;
  readonly responseErrors: number | null;
  /** Of a backend that is not HTTP null. */
  readonly http5xx: number | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  /** Mean of the last 1024 responses, ms. */
  readonly responseMs: number | null;
}

/** The servers of one node, or why they are not known. */
export interface NodeServers {
  readonly node: string;
  readonly problem: string;
  readonly servers: readonly ServerReading[];
  /** Servers changed past the agents, as its last report has them: the first 20; absent: none. */
  readonly drift?: readonly Drift[];
  /** Wishes in force whose server it has not, or has again and was not told; absent: none. */
  readonly lost?: readonly LostWish[];
}

/** A wish whose server is not there. */
export interface LostWish {
  readonly key: string;
  readonly server: LostServer | Unknown;
}

/** What `proxyctl servers` shows. */
export interface ServersAnswer {
  readonly node: string;
  readonly nodes: readonly NodeServers[];
  /** All that are in force for a server. */
  readonly intents: readonly Intent[];
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
  /** Who issued the bundle on disk: common name or organisation; absent: not known. */
  readonly issuer?: string;
  /** What its listeners show; absent: they were not asked, or an older agent did not say. */
  readonly checks?: readonly ListenerCheck[];
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

/** Why one candidate beats another: the first place in which they differ. */
/** What decided who owns an address; 'only': nobody else carries it. */
export const BECAUSES = [
  'only',
  'able',
  'haproxy',
  'partly',
  'joined',
  'demotion',
  'maintenance',
  'pin',
  'degraded',
  'ripe',
  'advskew',
  'name',
] as const;
type Because = (typeof BECAUSES)[number];
export type PlaceName = Exclude<Because, 'only'>;

/** One node's standing for one address, in the order the policy compares. */
export interface Standing {
  readonly node: string;
  /** Empty: able. */
  readonly unableBecause: string;
  readonly health: Health;
  readonly healthReason: string;
  readonly healthSinceMs: number;
  readonly maintenance: boolean;
  readonly pinned: boolean;
  /** MASTER, or may take it back. */
  readonly ripe: boolean;
  readonly advskew: number;
  readonly state: string;
}

/** One input that would change the verdict. */
interface Flip {
  readonly text: string;
  readonly owner: string | null;
}

export interface Explanation {
  readonly address: string;
  readonly owner: string | null;
  /** Unknown: a rule of a newer agent. */
  readonly because: Because | Unknown;
  readonly standings: readonly Standing[];
  readonly flips: readonly Flip[];
  /** Configured nodes whose word does not count now, and why. */
  readonly absent: readonly string[];
}

/** An explanation with the sentence of the present decision. */
export interface Explained extends Explanation {
  readonly reason: string;
}

export interface ExplainAnswer {
  readonly node: string;
  readonly paused: boolean;
  readonly addresses: readonly Explained[];
}

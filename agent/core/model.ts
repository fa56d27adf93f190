import type { NotifyReport } from './notify/notify.ts';

/**
 * The words everything else is written in. Plain immutable values; every
 * `...SinceMs` and `...AtMs` is a reading of this host's monotonic clock (what
 * came from a peer as an age was converted on arrival). Null means unknown.
 */

/** States of a vhid, carp(4). */
export type CarpState = 'INIT' | 'BACKUP' | 'MASTER';

/** A word of a newer agent that this one does not know. It counts against nobody. */
export type Unknown = 'unknown';

/** Precedence a host takes when it is not to own an address; carp(4) advertises it as 240. */
export const LOWERED_ADVSKEW = 254;

/** One CARP address as its host sees it. `address` is VHID@NETWORK. */
export interface AddressReport {
  readonly address: string;
  readonly vhid: number;
  readonly network: string;
  readonly interface: string;
  readonly vips: readonly string[];
  /** Unknown: neither MASTER nor BACKUP nor INIT follows. */
  readonly state: CarpState | Unknown;
  readonly stateSinceMs: number;
  /**
   * The last moment it was read as MASTER there; while it is handed over, of the reading on which
   * the taker was named. Null: never MASTER since that agent started, or an agent that does not say.
   */
  readonly heldAtMs: number | null;
  /** Seconds. */
  readonly advbase: number;
  /** 0 to 254, as the kernel holds it. */
  readonly advskew: number;
  readonly baseAdvskew: number | null;
  /** Whom that node's own decision names as owner. */
  readonly owner: string | null;
  /** The handshake: lowered, re-read, and this taker may force itself. */
  readonly yieldTo: string | null;
  readonly reason: string;
  readonly reasonSinceMs: number;
  /** Since when this node has been able and in touch with the MASTER's agent without a break. */
  readonly readySinceMs: number;
  /** 254 that no agent set: maintenance made by hand. */
  readonly byHand: boolean;
  /** Adverts are known not to arrive between this node and a peer that is heard. */
  readonly advertsLost: boolean;
  /** Neither a peer nor a witness answers on its interface: it is this host that is cut off there. */
  readonly cutOff: boolean;
  /** A peer or a witness answers on its interface, and somebody did without a break lately. */
  readonly inTouch: boolean;
  /** When a failback or a move for degraded health brought it here: the budget counts them. */
  readonly movesAtMs: readonly number[];
}

/** The host's own addresses on the interface of one network; no VIPs. */
export interface NetworkReport {
  readonly network: string;
  readonly addresses: readonly string[];
}

/** The base advskew of another node's address, as last heard from it: for one that lost its disk. */
export interface KnownBase {
  readonly node: string;
  readonly address: string;
  readonly base: number;
}

/** `stopping`: serves the sessions it has and accepts no new ones. Unknown: it cannot be asked, or a newer word. */
export type HaproxyState = 'up' | 'stopping' | 'hung' | 'down' | Unknown;

interface FrontendReport {
  readonly name: string;
  readonly open: boolean;
  readonly required: boolean;
}

export interface BackendReport {
  readonly name: string;
  readonly up: boolean;
  readonly serversUp: number;
  readonly servers: number;
}

export interface CertificateReport {
  readonly path: string;
  /** SHA-1 of the leaf's DER, lower case hex; null: HAProxy cannot say, and no listener shows it. */
  readonly fingerprint: string | null;
  /** RFC 3339 UTC. */
  readonly notAfter: string;
  readonly names: readonly string[];
}

/** A server that is not as it should be, and nobody told the agents. */
export interface Drift {
  readonly backend: string;
  readonly server: string;
  /** "ready", "drain", "maint" or a weight: what HAProxy has. */
  readonly is: string;
  /** What an intent names, or else the configuration. */
  readonly should: string;
  /** An intent names it. */
  readonly wished: boolean;
}

/** Older processes of one HAProxy: a reload leaves one that ends with its last session. */
export interface OlderReport {
  readonly processes: number;
  /** Of those that can be asked. */
  readonly sessions: number;
  /** Those that cannot be asked. */
  readonly uncounted: number;
  /** Why there may be more; empty: there are no more. */
  readonly problem: string;
}

export interface HaproxyReport {
  /** Always empty: an agent knows one HAProxy a host so far. Readers take any name, for the day it knows more. */
  readonly instance: string;
  readonly state: HaproxyState;
  readonly stateSinceMs: number;
  /** Why it is not up, or what could not be read; empty when all is well. */
  readonly problem: string;
  readonly version: string;
  readonly pid: number;
  /** When the process started, on this host's monotonic clock; about. */
  readonly startedMs: number;
  readonly sessions: number;
  /** Processes that it has replaced and that still serve. */
  readonly older: OlderReport;
  readonly frontends: readonly FrontendReport[];
  readonly backends: readonly BackendReport[];
  readonly certificates: readonly CertificateReport[];
  /** The first of them. */
  readonly drift: readonly Drift[];
  /** How many there are in all. */
  readonly drifted: number;
}

/**
 * An order: `serving` > `degraded` > `partly` (a required frontend is closed) >
 * `unknown` (cannot be asked) > `down`; backends that every node sees down do not
 * count. Unknown is never a reason to move, to refuse a rescue, or to call a host down.
 */
export type Health = 'serving' | 'degraded' | 'partly' | 'down' | Unknown;

export interface Problem {
  readonly subject: string;
  readonly cause: string;
  readonly remedy: string;
  readonly sinceMs: number;
}

/** Hybrid logical clock reading; order by wallMs, then count, then node. */
export interface Stamp {
  readonly wallMs: number;
  readonly count: number;
  readonly node: string;
}

/** One wish of an operator; see proto/proxyctl/v1/types.proto for keys and values. */
export interface Intent {
  readonly key: string;
  readonly value: string;
  readonly deleted: boolean;
  readonly stamp: Stamp;
  readonly actor: string;
  readonly reason: string;
  readonly requestId: string;
  /** When it ends by itself, on this host's wall clock (Unix ms); null: until taken back. */
  readonly untilWallMs: number | null;
  /** A pin that `failback` set to bring an address home; taken back once it is there. Not on disk. */
  readonly failback?: true;
}

export interface AppliedIntent {
  readonly key: string;
  readonly stamp: Stamp;
  /** Empty: in force, read back. */
  readonly problem: string;
  /** Absent: HAProxy has the server it is about. */
  readonly server?: LostServer | Unknown;
}

/**
 * A server that HAProxy had not when it was to be told a wish. `gone`: it has none of that name;
 * `back`: it has one again, which is not told a wish made before: it may be another machine.
 */
export type LostServer = 'gone' | 'back';

/** Which start of an agent speaks. */
export interface Start {
  /** Counts the starts upwards; begins lower after a new installation, or with a clock behind. */
  readonly epoch: number;
  /** Drawn at every start: two with one epoch are still two. 0: an agent that draws none. */
  readonly startId: number;
}

export interface Seen extends Start {
  readonly node: string;
  readonly sequence: number;
  /** Since the writer last heard anything from that node itself, at writing; null: an agent that does not say. */
  readonly ageMs: number | null;
}

/** Gossip between this node and another that passes one way only. */
export interface OneWay {
  /** Who does not hear the other. */
  readonly deaf: 'it' | 'we';
  readonly sinceMs: number;
}

/** Everything one node says of itself; only that node writes it. */
export interface NodeReport extends Start {
  readonly node: string;
  readonly sequence: number;
  readonly protocol: number;
  readonly agentVersion: string;
  readonly joined: boolean;
  readonly leaving: boolean;
  /** This agent holds net.inet.carp.allow at 0: every vhid here is INIT on purpose. */
  readonly fenced: boolean;
  readonly preempt: boolean | null;
  readonly demotion: number;
  readonly addresses: readonly AddressReport[];
  readonly networks: readonly NetworkReport[];
  readonly knownBases: readonly KnownBase[];
  readonly haproxy: readonly HaproxyReport[];
  readonly health: Health;
  readonly healthSinceMs: number;
  readonly healthReason: string;
  readonly problems: readonly Problem[];
  readonly seen: readonly Seen[];
  /** Nodes of which it hears two agents that go on under the one name. */
  readonly doubles: readonly string[];
  readonly applied: readonly AppliedIntent[];
  readonly notify: NotifyReport;
  readonly icmp: 'raw-socket' | 'ping' | 'none' | Unknown;
  readonly carpEvents: 'events' | 'polling' | Unknown;
  /** When the agent started, on this host's monotonic clock. */
  readonly agentStartedMs: number;
  /** The writer's wall clock at writing, to show a clock that is off; never compared otherwise. */
  readonly wallMs: number;
}

export type PeerClass =
  'alive' | 'suspect' | 'agent-down' | 'frozen' | 'dead' | 'isolated' | 'never-seen';

/** One configured node as this node knows it. */
export interface NodeView {
  readonly node: string;
  readonly peerClass: PeerClass;
  /** Heard within `freshMs`; this node itself always is. */
  readonly fresh: boolean;
  /** Last time anything was heard from it; null: never since start. */
  readonly heardAtMs: number | null;
  readonly report: NodeReport | null;
  /** Its wall clock less ours when its last report arrived, ms; null: unknown. */
  readonly clockOffMs: number | null;
  /** Null: each hears the other, or neither does. */
  readonly oneWay: OneWay | null;
  /** Since when two agents that go on are heard under this name; null: one at most. */
  readonly doubleSinceMs: number | null;
}

/** ICMP echo between this host and one address on the interface of a network. */
export interface PathReading {
  readonly network: string;
  /** A configured node; null: a witness. */
  readonly node: string | null;
  readonly answeredAtMs: number | null;
  /** Probes without an answer since the last one answered. */
  readonly lostInRow: number;
  /** When the first of those was sent; null: none. */
  readonly lostSinceMs: number | null;
  /** Since when it has answered without falling silent; null: never, or silent now. */
  readonly steadySinceMs: number | null;
}

/** Adverts received, all vhids together; they count while the host is fenced too. */
export interface Received {
  readonly v4: number;
  readonly v6: number;
  /** Those whose HMAC was wrong; not counted while fenced. */
  readonly badAuth: number;
}

export interface Policy {
  readonly failback: 'auto' | 'manual';
  readonly holdMs: number;
  /** Health moves allowed in `windowMs`; a dead HAProxy is never held by it. */
  readonly maxMoves: number;
  readonly windowMs: number;
  /** Silence after which a host that is dead by every test is replaced; 0: left to CARP's timer. */
  readonly earlyTakeoverMs: number;
  /** Whether this host may fence itself when adverts are lost. */
  readonly fence: boolean;
}

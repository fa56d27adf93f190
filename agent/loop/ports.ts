import type { Decide } from '../core/decide/decide.ts';
import type { Intents } from '../core/intents.ts';
import type { AppliedIntent, HaproxyReport, NodeReport, NodeView } from '../core/model.ts';
import type { PathReading, Policy, Problem, Start } from '../core/model.ts';
import type { Timing } from '../core/timing.ts';
import type { CarpSource } from './carp-reader.ts';
import type { NetworkConfig } from '../config/config.ts';
import type { latestRound } from './latest.ts';
import type { LoopLog } from './log.ts';
import type { Bases } from './observe.ts';
import type { StoredPast } from './own-history.ts';
import type { Wakeups } from './schedule.ts';
import type { Clock } from '../sys/clock.ts';

/** What is to be set of one vhid: advskew first, then state, as the kernel takes them. */
export interface VhidChange {
  readonly interface: string;
  readonly vhid: number;
  readonly advskew?: number;
  readonly state?: 'MASTER' | 'BACKUP';
}

/** What actions are performed on; agent/carp has the real one. */
export interface CarpControl {
  /** Several vhids, each once, in one call. One that fails keeps no other from being set. */
  set(changes: readonly VhidChange[]): Promise<void>;
  advertise(): Promise<void>;
  /** False: fenced for 3 s, after which the host undoes it by itself; said again it is renewed. */
  allow(on: boolean): Promise<void>;
}

/** CARP as the loop uses it: read, then set. */
export interface CarpPort extends CarpControl, CarpSource {}

/** Echo on the interfaces of the addresses; agent/witness has the real one. */
interface ProberPort {
  readings(): readonly PathReading[];
  /** Where to send: the peers' addresses by network, as they report them. */
  aim(peers: readonly NodeReport[], own: NodeReport): void;
  /** Peers that fell silent are asked much more often. */
  attend(suspects: readonly string[]): void;
}

/** What the loop has to find again after a restart. `moves`: Unix ms by address. */
export interface Durable extends StoredPast {
  readonly bases: Bases;
  readonly moves: Readonly<Record<string, readonly number[]>>;
  readonly fenceMine: boolean;
}

export interface LoopOptions extends Start {
  readonly node: string;
  readonly agentVersion: string;
  readonly policy: Policy;
  readonly timing: Timing;
  readonly networks: readonly NetworkConfig[] | null;
  readonly clock: Clock;
  /** The loop listens to it. */
  readonly bell: Wakeups;
  /** The loop fills it after every decision. */
  readonly latest: ReturnType<typeof latestRound>;
  readonly carp: CarpPort;
  /** Without the rights to set anything: it never joins, never acts, and is never given anything. */
  readonly observes?: boolean;
  /** CARP is read again after this long even if nothing happens, ms. */
  readonly pollMs: number;
  readonly icmp: NodeReport['icmp'];
  readonly prober: ProberPort;
  readonly gossip: {
    peers(nowMs: number): NodeView[];
    intents(): Intents;
    seen(): NodeReport['seen'];
    publish(report: NodeReport): void;
  };
  readonly haproxy: () => readonly HaproxyReport[];
  readonly applied: () => readonly AppliedIntent[];
  /** What is told of notifications; absent: nothing. */
  readonly notify?: () => NodeReport['notify'];
  /** Problems of other parts: state file, devd, configuration. */
  readonly problems: () => readonly Problem[];
  readonly carpEvents: () => NodeReport['carpEvents'];
  readonly durable: Durable;
  /** On disk before anything rests on it; rejects when the disk refuses. */
  readonly save: (change: Partial<Durable>) => Promise<void>;
  readonly log: LoopLog;
  /** The policy; a simulation may plant another. */
  readonly decide?: Decide;
}

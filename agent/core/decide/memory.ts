import type { AddressReport, Received } from '../model.ts';
import type { Silence } from '../peers.ts';

/** The holder's word that one taker may force itself. */
interface Grant {
  readonly to: string;
  readonly sinceMs: number;
}

/** When this node forced itself MASTER and has not been seen to stand since. */
type Forces = readonly number[];

/** What was last read of an address, and what this agent has commanded since. */
export interface Known {
  readonly state: AddressReport['state'];
  readonly advskew: number;
  /** 254 that somebody else set. */
  readonly byHand: boolean;
  /** The advskew last commanded; null: nothing yet. */
  readonly commanded: number | null;
  /** A forced promotion that was not read yet; `counts`: it uses the budget. */
  readonly took: {
    readonly atMs: number;
    readonly counts: boolean;
    readonly reason: string;
  } | null;
  /** When somebody else last changed advskew. */
  readonly outsideAtMs: number | null;
}

/** An address that another node was MASTER of until now. */
export interface Arrival {
  readonly from: string;
  readonly sinceMs: number;
  /** When the first extra advert was sent; null: not yet. */
  readonly toldAtMs: number | null;
}

/** An early takeover: of which silence, and until when there is no other against that peer. */
export interface Early {
  readonly silentSinceMs: number;
  readonly atMs: number;
  readonly wrong: boolean;
  readonly offUntilMs: number;
  readonly offMs: number;
}

/** Adverts are lost between nodes that hear each other otherwise. */
export interface Lost {
  readonly sinceMs: number;
  /** Counters when this host fenced itself; null: it has not. */
  readonly fencedAt: Received | null;
  readonly renewedAtMs: number | null;
  /** The fence was lifted on trial; null: no trial. */
  readonly trial: { readonly sinceMs: number; readonly received: Received } | null;
  readonly noTrialBeforeMs: number;
  /** A trial heard adverts whose HMAC was wrong; nothing else tells while the host is fenced. */
  readonly badAuth: boolean;
}

/** What ages between rounds. A new agent starts with NO_MEMORY. */
export interface Memory {
  readonly grants: ReadonlyMap<string, Grant>;
  readonly forces: ReadonlyMap<string, Forces>;
  /** When an address was last given up because HAProxy is down here. */
  readonly healthYields: ReadonlyMap<string, number>;
  /** Since when more than one fresh node says MASTER. */
  readonly overlaps: ReadonlyMap<string, number>;
  readonly advertisedAtMs: number | null;
  readonly known: ReadonlyMap<string, Known>;
  /** Failbacks and moves for degraded health that brought an address here. Durable. */
  readonly moves: ReadonlyMap<string, readonly number[]>;
  /** Promotions here that nobody asked for while a fresh peer was MASTER. */
  readonly unasked: ReadonlyMap<string, readonly number[]>;
  /** By peer. */
  readonly early: ReadonlyMap<string, Early>;
  readonly isolatedSinceMs: number | null;
  /** When this MASTER was last isolated; null once a peer was heard again. */
  readonly isolatedUntilMs: number | null;
  readonly lost: Lost | null;
  /** By network: whether everybody there is silent, and when that was last so. */
  readonly silence: ReadonlyMap<string, Silence>;
  /** The other node that was last known to be MASTER, by address. */
  readonly holders: ReadonlyMap<string, string>;
  /** Since when this MASTER serves nobody while another should or might: HAProxy is dead here. */
  readonly unserved: ReadonlyMap<string, number>;
  /** When this host last became BACKUP by itself for that. */
  readonly stepOuts: ReadonlyMap<string, number>;
  /** Since when nobody else could take an address. */
  readonly alone: ReadonlyMap<string, number>;
  /** Addresses that are still to be advertised once more. */
  readonly arrivals: ReadonlyMap<string, Arrival>;
}

export const NO_MEMORY: Memory = {
  grants: new Map(),
  forces: new Map(),
  healthYields: new Map(),
  overlaps: new Map(),
  advertisedAtMs: null,
  known: new Map(),
  moves: new Map(),
  unasked: new Map(),
  early: new Map(),
  isolatedSinceMs: null,
  isolatedUntilMs: null,
  lost: null,
  silence: new Map(),
  holders: new Map(),
  unserved: new Map(),
  stepOuts: new Map(),
  alone: new Map(),
  arrivals: new Map(),
};

import type { Grant, Forces } from './handshake.ts';
import type { OwnerChange } from '../history.ts';
import type { CarpState } from '../model.ts';

/** What the host is to be told. Plain data; performing one twice is harmless. */
export type Action =
  | {
      readonly kind: 'set-advskew';
      readonly address: string;
      readonly interface: string;
      readonly vhid: number;
      readonly advskew: number;
      readonly reason: string;
    }
  /** `advskew K state master` as one command: the kernel takes both or neither. */
  | {
      readonly kind: 'take';
      readonly address: string;
      readonly interface: string;
      readonly vhid: number;
      readonly advskew: number;
      readonly reason: string;
    }
  /** Every MASTER vhid of this host sends its advert now. */
  | { readonly kind: 'advertise'; readonly reason: string }
  /** net.inet.carp.allow=0 as a lease; said again it is renewed. */
  | { readonly kind: 'fence'; readonly reason: string }
  | { readonly kind: 'unfence'; readonly reason: string };

/** Adverts received, all vhids together; they count while the host is fenced too. */
export interface Received {
  readonly v4: number;
  readonly v6: number;
  /** Those whose HMAC was wrong; not counted while fenced. */
  readonly badAuth: number;
}

/** What was last read of an address, and what this agent has commanded since. */
export interface Known {
  readonly state: CarpState;
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
}

/** Silence of everybody on one network. */
export interface Silence {
  readonly now: boolean;
  /** When it was noticed. */
  readonly sinceMs: number;
  /** When it was last so. */
  readonly atMs: number;
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
};

/** What this node thinks of one address; goes into its report. */
export interface AddressVerdict {
  readonly address: string;
  readonly owner: string | null;
  readonly yieldTo: string | null;
  readonly reason: string;
  readonly byHand: boolean;
  readonly cutOff: boolean;
  readonly inTouch: boolean;
  readonly movesAtMs: readonly number[];
}

export interface DecisionAlert {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
}

export interface Decision {
  readonly actions: readonly Action[];
  readonly verdicts: readonly AddressVerdict[];
  readonly alerts: readonly DecisionAlert[];
  readonly memory: Memory;
  /** Addresses that came here since the round before. */
  readonly changes: readonly OwnerChange[];
  readonly advertsLost: boolean;
  /** When to look again even if nothing happens; null: only on events. */
  readonly wakeAtMs: number | null;
}

/** One rule's word on one address; the first that has one decides. */
export interface Part {
  readonly reason: string;
  readonly yieldTo?: string | null;
  readonly actions?: readonly Action[];
  readonly alerts?: readonly DecisionAlert[];
  readonly memory?: Memory;
  readonly wakeAtMs?: number | null;
}

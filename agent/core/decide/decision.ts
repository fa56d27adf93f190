import type { Noticed } from '../alerts/alert.ts';
import type { Memory } from './memory.ts';
import type { OwnerChange } from '../history.ts';
import type { AddressReport } from '../model.ts';

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
  /** `advskew K state backup` as one command. */
  | {
      readonly kind: 'step-out';
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

/** What memory adds to the own reading of an address. */
export type Recalled = Pick<AddressReport, 'byHand' | 'cutOff' | 'inTouch' | 'movesAtMs'>;

/** What this node thinks of one address; goes into its report as it is. */
export type AddressVerdict = Recalled &
  Pick<AddressReport, 'address' | 'owner' | 'yieldTo' | 'reason'>;

export interface Decision {
  readonly actions: readonly Action[];
  readonly verdicts: readonly AddressVerdict[];
  readonly alerts: readonly Noticed[];
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
  readonly alerts?: readonly Noticed[];
  readonly memory?: Memory;
  readonly wakeAtMs?: number | null;
}

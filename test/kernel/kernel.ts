import type { CarpState } from '../../agent/core/model.ts';
import type { Lateness } from './lateness.ts';

/**
 * One host's carp(4) as a pure state machine with exact timers: FreeBSD
 * sys/netinet/ip_carp.c. The lab puts it on real packets, a simulation on
 * simulated ones. Times are monotonic milliseconds.
 */

export type Family = 4 | 6;
export type Release = 13 | 14 | 15;

/** One vhid on one interface: carp_softc. */
export interface Vhid {
  readonly interface: string;
  readonly vhid: number;
  readonly advbase: number;
  readonly advskew: number;
  readonly vips4: readonly string[];
  readonly vips6: readonly string[];
  /** IPv4 VIPs that have a loopback route: what is missing here is what `deletion failed` tells of. */
  readonly routed4: readonly string[];
  readonly state: CarpState;
  /** Where adverts go; the group unless unicast (14.0 and later). */
  readonly peer: string;
  readonly peer6: string;
  /** Suppressed: its interface is down and its demotion counted. */
  readonly suppressed: boolean;
  readonly advertAtMs: number | null;
  readonly masterDown4AtMs: number | null;
  readonly masterDown6AtMs: number | null;
  /** Adverts that could not be sent, and those that could since (carp_send_ad_error). */
  readonly sendErrors: number;
  readonly sendSuccesses: number;
}

export interface Kernel {
  readonly release: Release;
  readonly preempt: boolean;
  /** 0 fences; of the others each is as good. */
  readonly allow: number;
  readonly demotion: number;
  readonly ifdownFactor: number;
  readonly senderrFactor: number;
  readonly log: number;
  /** DSCP of adverts. */
  readonly dscp: number;
  /** Carrier by interface. Unknown is not up. */
  readonly links: Readonly<Record<string, boolean>>;
  /** Interfaces that `ifconfig IF down` took down. */
  readonly down: readonly string[];
  readonly vhids: readonly Vhid[];
  readonly received: Readonly<Record<ReceiveCounter, number>>;
  readonly sent: { readonly v4: number; readonly v6: number };
  /** Null: every callout comes at its microsecond. */
  readonly lateness: Lateness | null;
}

/** struct carpstats: every packet of protocol 112 by family, and why some were dropped. */
export type ReceiveCounter = 'v4' | 'v6' | PacketFault | 'badAuth' | 'badVhid';

/** What can be wrong with a packet before its vhid is looked at. */
export type PacketFault = 'badTtl' | 'tooShort' | 'badSum' | 'badVersion';

/** What the kernel does to the world, in order. */
export type Effect =
  | {
      readonly kind: 'state';
      readonly interface: string;
      readonly vhid: number;
      readonly from: CarpState;
      readonly to: CarpState;
      readonly reason: string;
    }
  | {
      readonly kind: 'advert';
      readonly interface: string;
      readonly vhid: number;
      readonly advbase: number;
      /** The byte on the wire: demoted and clamped. */
      readonly advskew: number;
      readonly families: readonly Family[];
    }
  /** Gratuitous ARP for each IPv4 VIP. 12.1 sends no NA: it finds no source address. */
  | { readonly kind: 'announce'; readonly interface: string; readonly vhid: number }
  | { readonly kind: 'log'; readonly line: string };

export interface Change {
  readonly kernel: Kernel;
  readonly effects: readonly Effect[];
}

export const GROUP4 = '224.0.0.18';
export const GROUP6 = 'ff02::12';
const MAX_SKEW = 240;

export function newKernel(
  release: Release,
  preempt: boolean,
  interfaces: readonly string[],
): Kernel {
  return {
    release,
    preempt,
    allow: 1,
    demotion: 0,
    ifdownFactor: 240,
    senderrFactor: 240,
    log: 1,
    dscp: 56,
    links: Object.fromEntries(interfaces.map((name) => [name, true])),
    down: [],
    vhids: [],
    received: {
      v4: 0,
      v6: 0,
      badTtl: 0,
      tooShort: 0,
      badSum: 0,
      badVersion: 0,
      badAuth: 0,
      badVhid: 0,
    },
    sent: { v4: 0, v6: 0 },
    lateness: null,
  };
}

/**
 * DEMOTE_ADVSKEW: what this host counts with. 13.0 has no lower clamp: the
 * value may be negative, and only its low byte goes on the wire (PR 259528).
 */
export function demotedSkew(kernel: Kernel, advskew: number): number {
  const sum = advskew + kernel.demotion;
  if (sum > MAX_SKEW) return MAX_SKEW;
  return kernel.release === 13 ? sum : Math.max(0, sum);
}

const skewMs = (advskew: number): number => Math.trunc((advskew * 1_000_000) / 256) / 1000;

/** How long a BACKUP waits without adverts: not demoted, not clamped (carp_setrun). */
export const masterDownMs = (advbase: number, advskew: number): number =>
  3000 * advbase + skewMs(advskew);

/** Interval of adverts for an effective advskew. */
export const advertMs = (advbase: number, effective: number): number =>
  1000 * advbase + skewMs(effective);

/** When the next timer is due; null for none. */
export function nextTimerAtMs(kernel: Kernel): number | null {
  const times = kernel.vhids.flatMap(({ advertAtMs, masterDown4AtMs, masterDown6AtMs }) =>
    [advertAtMs, masterDown4AtMs, masterDown6AtMs].filter((at) => at !== null),
  );
  return times.length === 0 ? null : Math.min(...times);
}

export const find = (kernel: Kernel, name: string, vhid: number): Vhid | undefined =>
  kernel.vhids.find((one) => one.interface === name && one.vhid === vhid);

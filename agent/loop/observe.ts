import { healthOf, refuses } from '../core/health.ts';
import {
  type AddressReport,
  type CarpState,
  type HaproxyReport,
  type KnownBase,
  type NetworkReport,
  type NodeReport,
  type NodeView,
} from '../core/model.ts';
import type { NetworkConfig } from '../config/config.ts';

/** One vhid as ifconfig printed it. */
export interface VhidReading {
  readonly interface: string;
  readonly vhid: number;
  readonly vips: readonly string[];
  readonly state: CarpState;
  readonly advbase: number;
  readonly advskew: number;
}

/** What was read of CARP on this host, all at one moment. */
export interface CarpObservation {
  readonly addresses: readonly VhidReading[];
  readonly preempt: boolean | null;
  readonly demotion: number;
  /** What each vhid of a dead interface adds to it. */
  readonly downFactor: number;
  /** net.inet.carp.allow; null: unknown. */
  readonly allow: boolean | null;
  /** The host's own addresses by interface, as ADDRESS/LENGTH, no VIPs. */
  readonly interfaces: readonly InterfaceReading[];
}

export interface InterfaceReading {
  readonly interface: string;
  readonly addresses: readonly string[];
}

/** Base advskew by address, as stored. */
export type Bases = Readonly<Record<string, number>>;

export interface SelfInput {
  readonly node: string;
  readonly carp: CarpObservation;
  /** When the programs that read it were started. */
  readonly carpAtMs: number;
  readonly bases: Bases;
  readonly networks: readonly NetworkConfig[] | null;
  readonly haproxy: readonly HaproxyReport[];
  readonly peers: readonly NodeView[];
  readonly previous: NodeReport | null;
  readonly joined: boolean;
  /** This agent holds the fence. */
  readonly fenced: boolean;
  readonly nowMs: number;
}

/** The part of the own report that follows from observation; the decision adds the rest. */
export type SelfReading = Pick<
  NodeReport,
  | 'addresses'
  | 'haproxy'
  | 'preempt'
  | 'demotion'
  | 'health'
  | 'healthSinceMs'
  | 'healthReason'
  | 'joined'
  | 'fenced'
  | 'networks'
  | 'knownBases'
>;

/** Turns readings into this node's own words, with since-when for everything that ages. */
export function observeSelf(input: SelfInput): SelfReading {
  const { carp, haproxy, peers, previous, nowMs } = input;
  const addresses = carp.addresses.flatMap((reading) => addressReport(reading, input));
  const fresh = peers.flatMap((peer) => (peer.fresh && peer.report !== null ? [peer.report] : []));
  // Fenced on purpose is not sick: its vhids are INIT by its own word.
  const seen = { addresses: input.fenced ? [] : addresses, haproxy };
  const { health, reason } = healthOf(seen, fresh);
  const sameHealth = previous?.health === health;
  return {
    addresses: addresses.map((address) => ({
      ...address,
      readySinceMs: readySince(address, refuses(health), input),
    })),
    haproxy,
    preempt: carp.preempt,
    demotion: carp.demotion,
    health,
    healthSinceMs: sameHealth ? previous.healthSinceMs : nowMs,
    healthReason: reason,
    joined: input.joined,
    fenced: input.fenced,
    networks: networkReports(addresses, carp.interfaces),
    knownBases: peers.flatMap((peer) => basesOf(peer)),
  };
}

function networkReports(
  addresses: readonly AddressReport[],
  interfaces: readonly InterfaceReading[],
): NetworkReport[] {
  const named = new Map(addresses.map((one) => [one.network, one.interface]));
  return [...named].map(([network, name]) => ({
    network,
    addresses: (interfaces.find((one) => one.interface === name)?.addresses ?? []).map((cidr) =>
      cidr.replace(/\/\d+$/, ''),
    ),
  }));
}

const basesOf = ({ node, report }: NodeView): KnownBase[] =>
  (report?.addresses ?? []).flatMap(({ address, baseAdvskew }) =>
    baseAdvskew === null ? [] : [{ node, address, base: baseAdvskew }],
  );

function addressReport(reading: VhidReading, input: SelfInput): AddressReport[] {
  const network = networkOf(reading, input.networks);
  if (network === null) return [];
  const address = `${reading.vhid}@${network.name}`;
  const before = input.previous?.addresses.find((known) => known.address === address);
  const { nowMs } = input;
  return [
    {
      address,
      network: network.name,
      ...reading,
      stateSinceMs: before?.state === reading.state ? before.stateSinceMs : nowMs,
      heldAtMs: heldAt(reading, before, input.carpAtMs),
      baseAdvskew: input.bases[address] ?? null,
      owner: before?.owner ?? null,
      yieldTo: null,
      reason: before?.reason ?? '',
      reasonSinceMs: before?.reasonSinceMs ?? nowMs,
      readySinceMs: before?.readySinceMs ?? nowMs,
      byHand: before?.byHand ?? false,
      advertsLost: before?.advertsLost ?? false,
      cutOff: before?.cutOff ?? false,
      inTouch: before?.inTouch ?? false,
      movesAtMs: before?.movesAtMs ?? [],
    },
  ];
}

/** Until its grant is over it does not count how long the holder goes on: the taker may begin at once. */
const heldAt = (
  now: VhidReading,
  before: AddressReport | undefined,
  atMs: number,
): number | null =>
  now.state === 'MASTER' && (before?.yieldTo ?? null) === null ? atMs : (before?.heldAtMs ?? null);

/** Able to take it and in touch with the MASTER's agent without a break: since when. */
function readySince(address: AddressReport, refusing: boolean, input: SelfInput): number {
  const holder = input.peers.find((peer) =>
    peer.report?.addresses.some(
      (theirs) => theirs.address === address.address && theirs.state === 'MASTER',
    ),
  );
  const inTouch = address.state === 'MASTER' || (holder !== undefined && holder.fresh);
  const { advertsLost, byHand } = address;
  const unfit = address.state === 'INIT' || advertsLost || byHand;
  const broken = refusing || !input.joined || unfit || !inTouch;
  return broken || wasBroken(address.address, input) ? input.nowMs : address.readySinceMs;
}

/** The round before saw it unfit. That may be a while ago: it is ready since now, not since then. */
function wasBroken(address: string, { previous }: SelfInput): boolean {
  if (previous === null) return true;
  const before = previous.addresses.find((known) => known.address === address);
  return refuses(previous.health) || !previous.joined || before?.state === 'INIT';
}

/** The configured network a vhid belongs to; null: none of ours. */
export function networkOf(
  { interface: name, vhid }: VhidReading,
  networks: readonly NetworkConfig[] | null,
): NetworkConfig | null {
  if (networks === null) return { name, interface: name, vhids: null, baseAdvskew: null };
  return (
    networks.find((net) => net.interface === name && (net.vhids?.includes(vhid) ?? true)) ?? null
  );
}

/** VIPs of this node's addresses that it does not hold: a connection there reaches another node. */
export const vipsElsewhere = (report: NodeReport | null): string[] =>
  (report?.addresses ?? []).filter(({ state }) => state !== 'MASTER').flatMap(({ vips }) => vips);

/** The host's own ADDRESS/LENGTH on the interface of each network of its report. */
export function subnetsOf(
  interfaces: readonly InterfaceReading[],
  report: NodeReport | null,
): ReadonlyMap<string, readonly string[]> {
  const named = (report?.addresses ?? []).map(
    ({ network, interface: name }) =>
      [network, interfaces.find((one) => one.interface === name)?.addresses ?? []] as const,
  );
  return new Map(named);
}

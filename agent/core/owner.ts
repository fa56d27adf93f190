import { maintenanceKey, pinKey, wish, type Intents } from './intents.ts';
import type { AddressReport, NodeReport, NodeView, Policy } from './model.ts';
import { freshNodes } from './peers.ts';
import { effectiveAdvskew } from './timing.ts';

/** What one node sees of all, at one moment. */
export interface View {
  readonly self: string;
  /** Every configured node, this one included. */
  readonly nodes: readonly NodeView[];
  readonly intents: Intents;
  readonly policy: Policy;
  /** For the ends of intents only. */
  readonly wallMs: number;
  /** Addresses whose pinned node has been MASTER since the pin was stored. */
  readonly reachedPins: ReadonlySet<string>;
}

/** Why one candidate beats another: the first place in which they differ. */
export type Because =
  'only' | 'able' | 'haproxy' | 'maintenance' | 'pin' | 'degraded' | 'holds' | 'advskew' | 'name';

export interface Candidate {
  readonly node: string;
  readonly report: NodeReport;
  readonly address: AddressReport;
  readonly able: boolean;
  readonly isMaster: boolean;
}

export interface Ownership {
  readonly owner: Candidate | null;
  readonly because: Because;
  /** The one it was closest with. */
  readonly over: Candidate | null;
  readonly candidates: readonly Candidate[];
}

const PLACES = ['able', 'haproxy', 'maintenance', 'pin', 'degraded', 'holds', 'advskew'] as const;

/**
 * Who should own an address: over the nodes with a fresh report the smallest
 * tuple wins: not able, HAProxy down, in maintenance, not the pin, degraded
 * for `hold`, not ripe, base advskew, name. Ages come from the writers'
 * reports, so that all nodes reach the same verdict.
 */
export function owner(address: string, view: View, nowMs: number): Ownership {
  const candidates = candidatesFor(address, view);
  const masters = candidates.filter(({ isMaster }) => isMaster);
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rank(candidate, masters, view, nowMs) }))
    .sort((a, b) => compareRanks(a.rank, b.rank) || (a.candidate.node < b.candidate.node ? -1 : 1));
  const [first, second] = ranked;
  if (first === undefined) return { owner: null, because: 'only', over: null, candidates };
  if (second === undefined)
    return { owner: first.candidate, because: 'only', over: null, candidates };
  const place = PLACES.find((_, at) => first.rank[at] !== second.rank[at]);
  return {
    owner: first.candidate,
    because: place ?? 'name',
    over: second.candidate,
    candidates,
  };
}

function candidatesFor(address: string, view: View): Candidate[] {
  const fresh = freshNodes(view.nodes);
  const leastDemotion = Math.min(...fresh.map(({ report }) => report?.demotion ?? 0));
  return fresh.flatMap(({ node, report }) => {
    const mine = report?.addresses.find((reading) => reading.address === address);
    if (report === null || mine === undefined) return [];
    const demoted = report.demotion >= 240 && leastDemotion < 240;
    const isMaster = mine.state === 'MASTER';
    // A restarted agent on the MASTER gives up nothing while it joins again.
    const present = (report.joined || isMaster) && !report.leaving;
    const able = mine.state !== 'INIT' && present && !demoted;
    return [{ node, report, address: mine, able, isMaster }];
  });
}

/** One number a place, smaller is better, in the order of PLACES. */
function rank(
  candidate: Candidate,
  masters: readonly Candidate[],
  view: View,
  nowMs: number,
): number[] {
  const { node, report, address } = candidate;
  const { holdMs } = view.policy;
  const pin = wish(view.intents, pinKey(address.address), view.wallMs);
  const ready = nowMs - address.readySinceMs >= holdMs;
  const pinned = pin !== null && pin.value === node;
  const pinApplies = pinned && (candidate.isMaster || ready || isUnreached(address.address, view));
  const degraded = report.health === 'degraded' && nowMs - report.healthSinceMs >= holdMs;
  const returns = view.policy.failback === 'auto' && candidate.able && ready;
  const ripe =
    masters.length > 1
      ? candidate.isMaster
      : masters.length === 0 || candidate.isMaster || pinApplies || returns;
  const maintained = wish(view.intents, maintenanceKey(node), view.wallMs) !== null;
  return [
    Number(!candidate.able),
    Number(report.health === 'down'),
    Number(maintained),
    Number(pin !== null && !pinApplies),
    Number(degraded),
    Number(!ripe),
    // Several MASTERs: what the kernels compare decides, so that both agree.
    masters.length > 1
      ? effectiveAdvskew(address.advskew, report.demotion)
      : (address.baseAdvskew ?? address.advskew),
  ];
}

const isUnreached = (address: string, view: View): boolean => !view.reachedPins.has(address);

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}

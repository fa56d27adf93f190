import type { Because } from '../answers.ts';
import { maintenanceKey, PAUSE_KEY, pinKey, wish } from '../intents.ts';
import type { AddressReport, NodeReport } from '../model.ts';
import { freshNodes } from '../peers.ts';
import { effectiveAdvskew } from '../timing.ts';
import type { View } from './view.ts';

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

export const PLACES = [
  'able',
  'haproxy',
  'maintenance',
  'pin',
  'degraded',
  'holds',
  'advskew',
] as const;

/**
 * Who should own an address: over the nodes with a fresh report the smallest
 * tuple wins: not able, HAProxy down, in maintenance, not the pin, degraded
 * for `hold`, not ripe, base advskew, name. Ages come from the writers'
 * reports, so that all nodes reach the same verdict.
 */
export function owner(address: string, view: View, nowMs: number): Ownership {
  const candidates = candidatesFor(address, view);
  const ranked = candidates
    .map((candidate) => ({ candidate, rank: rank(candidate, candidates, view, nowMs) }))
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
  const inTouch = fresh.some(({ report }) =>
    report?.addresses.some((one) => one.address === address && one.inTouch),
  );
  return fresh.flatMap(({ node, report }) => {
    const mine = report?.addresses.find((reading) => reading.address === address);
    if (report === null || mine === undefined) return [];
    // A fence adds the demotion of an interface that is down; it goes with the fence.
    const demoted = report.demotion >= 240 && leastDemotion < 240 && !report.fenced;
    const isMaster = mine.state === 'MASTER';
    // A restarted agent on the MASTER gives up nothing while it joins again.
    const present = (report.joined || isMaster) && !report.leaving;
    // Who hears nobody on that network serves nobody there, whatever gossip says elsewhere;
    // where all are silent, or were a moment ago, that tells none from another.
    const linked = (mine.state !== 'INIT' || report.fenced) && !(mine.cutOff && inTouch);
    const able = linked && present && !demoted;
    return [{ node, report, address: mine, able, isMaster }];
  });
}

export const isPaused = (view: View): boolean =>
  wish(view.intents, PAUSE_KEY, view.wallMs) !== null;

/** The health moves that brought an address to any node used the budget up. */
export function isSpent(candidates: readonly Candidate[], view: View, nowMs: number): boolean {
  const { maxMoves, windowMs } = view.policy;
  const moves = candidates.flatMap(({ address }) => address.movesAtMs);
  return moves.filter((atMs) => nowMs - atMs < windowMs).length >= maxMoves;
}

/** Adverts of this address are known to be lost between nodes that hear each other. */
const isLost = (candidates: readonly Candidate[]): boolean =>
  candidates.some(({ address, report }) => address.advertsLost || report.fenced);

/** In maintenance by an operator's word, or by a 254 set by hand. */
export const isMaintained = ({ node, address }: Candidate, view: View): boolean =>
  address.byHand || wish(view.intents, maintenanceKey(node), view.wallMs) !== null;

/** One number a place, smaller is better, in the order of PLACES. */
export function rank(
  candidate: Candidate,
  candidates: readonly Candidate[],
  view: View,
  nowMs: number,
): number[] {
  const { node, report, address, isMaster } = candidate;
  const { holdMs } = view.policy;
  const masters = candidates.filter((one) => one.isMaster);
  const pin = wish(view.intents, pinKey(address.address), view.wallMs);
  const ready = nowMs - address.readySinceMs >= holdMs;
  const lost = isLost(candidates);
  const paused = isPaused(view);
  // A planned move onto a node whose adverts do not arrive ends in two MASTERs.
  const mayCome = !lost && (ready || isUnreached(address.address, view));
  const pinApplies = pin !== null && pin.value === node && (isMaster || mayCome);
  const bound = lost || paused || isSpent(candidates, view, nowMs);
  const degradedMs = report.health === 'degraded' ? nowMs - report.healthSinceMs : -1;
  const returns = !bound && view.policy.failback === 'auto' && candidate.able && ready;
  const ripe = masters.length === 0 || isMaster || pinApplies || returns;
  return [
    Number(!candidate.able),
    Number(!paused && isDown(candidate, candidates, view, nowMs)),
    Number(isMaintained(candidate, view)),
    Number(pin !== null && !pinApplies),
    Number(!bound && degradedMs >= holdMs && mayBeBetter(candidate, candidates)),
    masters.length > 1 ? standing(candidate, masters) : Number(!ripe),
    // Several MASTERs: what the kernels compare decides, so that both agree.
    masters.length > 1
      ? effectiveAdvskew(address.advskew, report.demotion)
      : (address.baseAdvskew ?? address.advskew),
  ];
}

/**
 * Of several MASTERs one that nobody has answered since its agent's start is
 * worse than one that is in touch; who is no MASTER comes last.
 */
function standing({ isMaster, address }: Candidate, masters: readonly Candidate[]): number {
  if (!isMaster) return 2;
  return Number(!address.inTouch && masters.some((one) => one.address.inTouch));
}

/** HAProxy is down; where only a node in maintenance could replace it, it counts after `hold`. */
function isDown(
  { report }: Candidate,
  candidates: readonly Candidate[],
  view: View,
  nowMs: number,
): boolean {
  if (report.health !== 'down') return false;
  const replaced = candidates.some(
    (other) => other.able && other.report.health !== 'down' && !isMaintained(other, view),
  );
  return replaced || nowMs - report.healthSinceMs >= view.policy.holdMs;
}

/** Some other node could serve better; of one whose health is unknown nobody can say that. */
const mayBeBetter = ({ node }: Candidate, candidates: readonly Candidate[]): boolean =>
  candidates.some((one) => one.node !== node && one.able && one.report.health !== 'unknown');

const isUnreached = (address: string, view: View): boolean => !view.reachedPins.has(address);

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? 0;
    if (value !== other) return value - other;
  }
  return 0;
}

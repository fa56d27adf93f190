import { isObserver } from '../health.ts';
import { maintenanceKey, PAUSE_KEY, wish } from '../intents.ts';
import type { AddressReport, NodeReport } from '../model.ts';
import { freshNodes } from '../peers.ts';
import { effectiveAdvskew } from '../timing.ts';
import type { View } from './view.ts';

/** The most that carp(4) advertises. */
const LOWEST = 240;

/** A node with a fresh report that carries the address. */
export interface Candidate {
  readonly node: string;
  readonly report: NodeReport;
  readonly address: AddressReport;
  /** Its kernel could hold the address now. */
  readonly able: boolean;
  /** Its agent has met its peers; a restarted one on the MASTER gives up nothing meanwhile. */
  readonly joined: boolean;
  /** Its kernel stands back, and another's does not. */
  readonly demoted: boolean;
  readonly isMaster: boolean;
}

/** Every node whose word on this address counts now, in order of name. */
export function candidatesFor(address: string, view: View): Candidate[] {
  const fresh = freshNodes(view.nodes);
  const leastDemotion = Math.min(...fresh.map(({ report }) => report?.demotion ?? 0));
  const all = fresh.flatMap(({ report }) => report?.addresses ?? []);
  const readings = all.filter((one) => one.address === address);
  const inTouch = readings.some((one) => one.inTouch);
  const held = readings.some(({ state, cutOff }) => state === 'MASTER' && !cutOff);
  return fresh.flatMap(({ node, report }) => {
    const mine = report?.addresses.find((reading) => reading.address === address);
    if (report === null || mine === undefined) return [];
    // A fence adds the demotion of an interface that is down; it goes with the fence.
    const demoted = report.demotion >= 240 && leastDemotion < 240 && !report.fenced;
    const isMaster = mine.state === 'MASTER';
    const joined = report.joined || isMaster;
    // Who hears nobody on that network serves nobody there, whatever gossip says elsewhere;
    // where all are silent, or were a moment ago, that tells none from another.
    // From a MASTER that is not cut off it takes nothing, though that one's agent may have just started.
    const alone = mine.cutOff && (inTouch || (held && !isMaster));
    const linked = (mine.state !== 'INIT' || report.fenced) && !alone;
    const able = linked && !report.leaving;
    return [{ node, report, address: mine, able, joined, demoted, isMaster }];
  });
}

/** Nothing about its host speaks against it. */
export const isFit = ({ able, joined, demoted }: Candidate): boolean => able && joined && !demoted;

/** Why a node is not fit to own an address, in a few words. */
export function unfit({ report, address }: Candidate): string {
  if (address.state === 'INIT' && !report.fenced) return 'its vhid is INIT';
  if (address.cutOff) return 'nobody answers it on that network';
  if (report.leaving) return 'it is shutting down';
  if (isObserver(report)) return 'its agent is not privileged and only observes';
  if (!report.joined) return 'its agent has just started';
  return `its CARP demotion is ${report.demotion}`;
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
export const isLost = (candidates: readonly Candidate[]): boolean =>
  candidates.some(({ address, report }) => address.advertsLost || report.fenced);

/** In maintenance by an operator's word, or by a 254 set by hand. */
export const isMaintained = ({ node, address }: Candidate, view: View): boolean =>
  address.byHand || wish(view.intents, maintenanceKey(node), view.wallMs) !== null;

/** What the kernels will compare once that node has it: a demoted one is behind every base. */
export const goalOf = ({ address, report }: Candidate): number =>
  effectiveAdvskew(address.baseAdvskew ?? address.advskew, report.demotion);

/**
 * A BACKUP leaves one alone that advertises less often than its own base would, not one that is
 * lowered all the way: both count as 240.
 */
export const letsWin = ({ address, report }: Candidate, goal: number): boolean => {
  const effective = effectiveAdvskew(address.advskew, report.demotion);
  return effective > goal || effective === LOWEST;
};

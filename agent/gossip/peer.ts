import type { NodeReport, NodeView, OneWay, Start } from '../core/model.ts';
import { isFresh, isSameStart, peerClass, withRelayed } from '../core/peers.ts';
import { ANSWERED_MS, type Timing } from '../core/timing.ts';
import { epochs, type Epochs } from './epochs.ts';

/** What gossip keeps of one configured peer; readings of this host's monotonic clock. */
export interface Peer {
  readonly node: string;
  heardAtMs: number | null;
  /** When `report` was last known to be the present one: received, or its number in a heartbeat. */
  currentAtMs: number | null;
  agentGoneAtMs: number | null;
  goneBecause: string;
  report: NodeReport | null;
  /** When `report` was the present one by the word of another that hears it; null: nobody said so. */
  relayedAtMs: number | null;
  /** Whom it was asked of, because they named it as heard. */
  askedOf: string | null;
  /** Its wall clock less ours when its last report arrived. */
  clockOffMs: number | null;
  intentsSentAtMs: number | null;
  /** Since when its heartbeats have told of other intents than ours; null: they tell of the same. */
  differsSinceMs: number | null;
  /** Which starts of its agent are heard. */
  readonly epochs: Epochs;
  /** Since when it has not heard us, by its own word; null: it does, or does not say. */
  deafSinceMs: number | null;
  /** Since when our connection to it stands, as its last sending showed; null: it does not. */
  standsSinceMs: number | null;
}

/** A peer before anything was heard of it. */
export const unheard = (node: string): Peer => ({
  node,
  heardAtMs: null,
  currentAtMs: null,
  agentGoneAtMs: null,
  goneBecause: '',
  report: null,
  relayedAtMs: null,
  askedOf: null,
  clockOffMs: null,
  intentsSentAtMs: null,
  differsSinceMs: null,
  epochs: epochs(),
  deafSinceMs: null,
  standsSinceMs: null,
});

interface Version extends Start {
  readonly sequence: number;
}

/** Only its writer counts up; a new start of the agent has a higher epoch, or is another one. */
export const isNewer = (a: Version, b: Version): boolean =>
  a.epoch !== b.epoch ? a.epoch > b.epoch : isSameStart(a, b) && a.sequence > b.sequence;

/** The two are of one start, and `a` is at least what `b` was. */
export const isAsNew = (a: Version, b: Version): boolean => isSameStart(a, b) && !isNewer(b, a);

/**
 * Whether what came from `peer` itself or of it by another is to take the place of its known
 * report: newer, or of another start, with no higher epoch, and nothing came of the known one since.
 */
export function takesOver(peer: Peer, version: Version, nowMs: number): boolean {
  const { report } = peer;
  if (report === null || isNewer(version, report)) return true;
  return !isSameStart(version, report) && peer.epochs.replaces(report, peer.relayedAtMs, nowMs);
}

/**
 * Gossip with this peer passes one way only: it says that it does not hear us, or our connection
 * to it stands and nothing is heard of it. Null: both ways, or none.
 */
function oneWayOf(peer: Peer, timing: Timing, nowMs: number): OneWay | null {
  const { deafSinceMs, standsSinceMs, heardAtMs } = peer;
  const contact = withRelayed(peer, peer.relayedAtMs, timing);
  if (isFresh(peer, timing, nowMs))
    return deafSinceMs === null ? null : { deaf: 'it', sinceMs: deafSinceMs };
  if (standsSinceMs === null || isFresh(contact, timing, nowMs)) return null;
  const sinceMs = Math.max(standsSinceMs, heardAtMs ?? -Infinity);
  return nowMs - sinceMs >= ANSWERED_MS ? { deaf: 'we', sinceMs } : null;
}

/** The peer as the others of the agent see it at `nowMs`. */
export function viewOf(peer: Peer, timing: Timing, nowMs: number): NodeView {
  const { node, report, clockOffMs } = peer;
  const contact = withRelayed(peer, peer.relayedAtMs, timing);
  const doubleSinceMs = peer.epochs.doubleSinceMs(nowMs);
  return {
    node,
    peerClass: peerClass(contact, timing, nowMs),
    // Of two agents with one name nobody can say which one has just spoken.
    fresh:
      doubleSinceMs === null && !peer.epochs.isUnclear(nowMs) && isFresh(contact, timing, nowMs),
    heardAtMs: contact.heardAtMs,
    report: doubleSinceMs === null ? report : unclear(report),
    clockOffMs,
    oneWay: oneWayOf(peer, timing, nowMs),
    doubleSinceMs,
  };
}

const unclear = (report: NodeReport | null): NodeReport | null =>
  report === null
    ? null
    : {
        ...report,
        health: 'unknown',
        healthReason: `two agents go on under the name ${report.node}`,
      };

/** The figures of time that decisions rest on, in milliseconds unless the name says otherwise. */
export interface Timing {
  /** Interval of heartbeats to each peer. */
  readonly heartbeatMs: number;
  /** Silence after which a peer is suspect. */
  readonly suspectMs: number;
  /** A report older than this takes no part in decisions. */
  readonly freshMs: number;
  /** A round that comes later than its wake-up by this much was late: suspect yourself first. */
  readonly lateMs: number;
}

/** `detect = "fast"` (the default) and `"calm"` of agent.toml. */
export const TIMINGS: Readonly<Record<'fast' | 'calm', Timing>> = {
  fast: { heartbeatMs: 100, suspectMs: 250, freshMs: 1000, lateMs: 160 },
  calm: { heartbeatMs: 1000, suspectMs: 2500, freshMs: 10_000, lateMs: 1600 },
};

/** How long a grant of the handshake stands: it is neither withdrawn nor given to another. */
export const GRANT_MS = 2000;
/** An agent may raise nothing before this long after its start. */
export const JOIN_MIN_MS = 300;
/** After this long an agent counts as joined even with silent peers. */
export const JOIN_MAX_MS = 15_000;
/** At most one forced promotion per address in this time. */
export const FORCE_INTERVAL_MS = 1000;
/** A forced promotion that has not stood this long did not stand. */
export const FORCE_WINDOW_MS = 10_000;
/** After this many forced promotions within the window that did not stand: stop and alert. */
export const FORCE_LIMIT = 2;
/** Echo probes lost one after the other until a path counts as silent. */
export const PROBES_LOST = 5;
/** A path that was not answered this shortly before its silence proves nothing. */
export const PATH_PROVEN_MS = 2000;
/** A loop that was late accuses nobody for this long. */
export const LATE_SHADOW_MS = 1000;
/** A MASTER that nobody answers lowers itself after this long. */
export const ISOLATED_MS = 1000;
/** Two MASTERs that hear each other are one within 2 s, and a host cut off knows it after 6 s with ping(8). */
export const SETTLED_MS = 7000;
/** A move off a dead HAProxy that the handshake did not make within this time is left to the kernels. */
export const UNTAKEN_MS = 2500;
/** An address is left to the kernels at most once in this time. */
export const STEP_OUT_INTERVAL_MS = 10_000;
/** A HAProxy that has lived again for this long makes its next death one of its own. */
export const ALIVE_AGAIN_MS = 1000;
/** After an address came here it is advertised again, and once more this much later. */
export const ADVERT_AGAIN_MS = 100;
/** Who was MASTER before and has not said otherwise for this long is not waited for. */
export const ARRIVAL_MS = 10_000;
/** Silence of everybody on a network counts this long after it was noticed: more than the interval of calm probes. */
export const CUT_MS = 1500;
/** After a silence of everybody on a network, so long without another until a node counts as in touch there. */
export const STEADY_MS = 3000;
/** An isolated MASTER stays lowered this long after the network is back and no peer was heard yet. */
export const REJOIN_MS = 15_000;
/** Heard again this soon after an early takeover, the peer was not dead. */
export const EARLY_WRONG_MS = 2000;
/** After a wrong early takeover there is none against that peer for this long, doubling. */
export const EARLY_OFF_MS = 60_000;
export const EARLY_OFF_MAX_MS = 3_600_000;
/** Two MASTERs this long after the owner advertised: adverts are lost. */
export const LOST_AFTER_MS = 1000;
/** So many promotions that nobody asked for, within this time, mean the same. */
export const UNASKED_LIMIT = 3;
export const UNASKED_WINDOW_MS = 60_000;
/** The fence is a lease of 3 s in the host; it is renewed this often. */
export const FENCE_RENEW_MS = 1000;
/** Nothing doubled and nobody fenced for this long: adverts arrive again. */
export const HEALED_MS = 5000;
/** A lifted fence proves itself within this time: a BACKUP at 254 waits 3.99 s for adverts. */
export const TRIAL_MS = 3500;
/** After adverts that do not authenticate the fence is tried again this often. */
export const TRIAL_INTERVAL_MS = 60_000;
/** A lower epoch is the peer once nothing of the higher one came for this long. */
export const LOWER_EPOCH_MS = 2000;
/** Two starts of an agent that go on side by side for this long are two agents; a restart has one end before the other. */
export const DOUBLE_MS = 2000;
/** One of two agents with one name that is silent for this long is gone. */
export const FORGOTTEN_MS = 5000;
/** Gossip that passes one way only is told after this long. */
export const ONE_WAY_MS = 2000;
/** A connection that nobody answers is closed within 5 s: one that stands longer is answered, and so heard. */
export const ANSWERED_MS = 6000;
/** Nothing moves by itself for so long: somebody forgot to resume. */
export const PAUSED_LONG_MS = 3_600_000;
/** Two MASTERs for this long are no longer the natural overlap of a move. */
export const OVERLAP_MS = 30;

/**
 * The advskew a kernel puts into its adverts and compares with: demotion
 * added, clamped to 0..240. Source: DEMOTE_ADVSKEW in FreeBSD
 * sys/netinet/ip_carp.c (since 13.1 with the lower clamp).
 */
export function effectiveAdvskew(advskew: number, demotion: number): number {
  return Math.min(240, Math.max(0, advskew + demotion));
}

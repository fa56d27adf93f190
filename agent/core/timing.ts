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

import type { NodeView } from '../core/model.ts';
import { JOIN_MAX_MS, JOIN_MIN_MS } from '../core/timing.ts';

/**
 * Whether this agent has joined: one exchange with every peer since its start
 * or since it was last frozen (or that peer's agent is known to be gone, or its
 * host is dead), at least JOIN_MIN_MS and at most JOIN_MAX_MS after it; and
 * HAProxy was asked: a host of which nothing is known yet is not down.
 */
export function joins(startedAtMs: number) {
  let sinceMs = startedAtMs;
  let joined = false;
  return {
    joined(peers: readonly NodeView[], haproxyRead: boolean, nowMs: number): boolean {
      const age = nowMs - sinceMs;
      const met = peers.every(
        ({ heardAtMs, report, peerClass }) =>
          peerClass === 'agent-down' ||
          peerClass === 'dead' ||
          (heardAtMs !== null && heardAtMs >= sinceMs && report !== null),
      );
      const ready = peers.length > 0 && haproxyRead && age >= JOIN_MIN_MS;
      joined ||= ready && (met || age >= JOIN_MAX_MS);
      return joined;
    },
    /** It stood still: what it believes of the others is old. */
    rejoin(nowMs: number): void {
      sinceMs = nowMs;
      joined = false;
    },
    /** When to look again; Infinity once joined. */
    wakeAtMs: (nowMs: number): number => (joined ? Infinity : nowMs + 100),
  };
}

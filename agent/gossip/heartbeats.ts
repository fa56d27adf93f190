import { isQuiet } from '../core/peers.ts';
import type { NodeView } from '../core/model.ts';
import type { Timing } from '../core/timing.ts';
import type { Gossip } from './gossip.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../sys/clock.ts';

/** Peers are looked at so many times a heartbeat while one of them is late: silence is seen soon after it begins. */
const LOOKS = 4;
/** Heard so many heartbeats ago, a peer is looked at: a moment after it is quiet (`isQuiet`). */
const LATE = 1.5;

/** A heartbeat to every peer per interval; a peer that changes its class is logged and `onChange` called. */
export function heartbeats(options: {
  readonly gossip: Pick<Gossip, 'beat' | 'peers' | 'contact'>;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly log: Pick<Log, 'info'>;
  /** Why a peer is not heard; empty when unknown. */
  readonly because: (node: string) => string;
  readonly onChange: () => void;
}): { stop(): void } {
  const { gossip, clock, timing, log } = options;
  const classes = new Map<string, string>();
  let cancel = (): void => {};
  let beatAtMs = -Infinity;

  /** A peer that was just heard says nothing new before it is late: nobody has to wake for it. */
  function lookAtMs(peer: NodeView, nowMs: number): number {
    const { node, peerClass, fresh, heardAtMs } = peer;
    const currentAtMs = gossip.contact(node)?.currentAtMs ?? -Infinity;
    const calm = peerClass === 'alive' && fresh && !isQuiet(peer, timing, nowMs);
    const soon = nowMs + timing.heartbeatMs / LOOKS;
    if (!calm || heardAtMs === null || currentAtMs < heardAtMs - timing.heartbeatMs) return soon;
    return Math.max(soon, heardAtMs + LATE * timing.heartbeatMs);
  }

  function look(): void {
    if (clock.nowMs() >= beatAtMs) {
      gossip.beat();
      beatAtMs = clock.nowMs() + timing.heartbeatMs;
    }
    const nowMs = clock.nowMs();
    const peers = gossip.peers(nowMs);
    let changed = false;
    for (const peer of peers) {
      const { node, peerClass, fresh } = peer;
      const now = `${peerClass} ${fresh} ${isQuiet(peer, timing, nowMs)}`;
      const before = classes.get(node);
      if (before === now) continue;
      changed = true;
      classes.set(node, now);
      const from = before?.split(' ')[0] ?? null;
      if (from === peerClass) continue;
      const fields = { peer: node, from, to: peerClass, cause: options.because(node) };
      log.info('peer-changed', fields, `${node} is ${peerClass}`);
    }
    if (changed) options.onChange();
    const nextAtMs = Math.min(beatAtMs, ...peers.map((peer) => lookAtMs(peer, nowMs)));
    cancel = clock.after(Math.max(1, nextAtMs - nowMs), look);
  }

  look();
  return { stop: () => cancel() };
}

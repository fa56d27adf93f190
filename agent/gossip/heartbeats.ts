import { isQuiet } from '../core/peers.ts';
import type { Timing } from '../core/timing.ts';
import type { Gossip } from './gossip.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../sys/clock.ts';

/** Peers are looked at so many times a heartbeat: silence is seen soon after it begins. */
const LOOKS = 4;

/** A heartbeat to every peer per interval; a peer that changes its class is logged and `onChange` called. */
export function heartbeats(options: {
  readonly gossip: Gossip;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly log: Log;
  /** Why a peer is not heard; empty when unknown. */
  readonly because: (node: string) => string;
  readonly onChange: () => void;
}): { stop(): void } {
  const { gossip, clock, timing, log } = options;
  const classes = new Map<string, string>();
  let cancel = (): void => {};
  let looks = 0;

  function look(): void {
    if (looks++ % LOOKS === 0) gossip.beat();
    const nowMs = clock.nowMs();
    let changed = false;
    for (const peer of gossip.peers(nowMs)) {
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
    cancel = clock.after(timing.heartbeatMs / LOOKS, look);
  }

  look();
  return { stop: () => cancel() };
}

import type { Timing } from './core/timing.ts';
import type { Gossip } from './gossip.ts';
import type { Log } from './log.ts';
import type { Clock } from './sys/clock.ts';

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

  function beat(): void {
    gossip.beat();
    let changed = false;
    for (const { node, peerClass, fresh } of gossip.peers(clock.nowMs())) {
      const now = `${peerClass} ${fresh}`;
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
    cancel = clock.after(timing.heartbeatMs, beat);
  }

  beat();
  return { stop: () => cancel() };
}

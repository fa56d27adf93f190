import { isQuiet } from '../core/peers.ts';
import type { NodeView } from '../core/model.ts';
import type { Timing } from '../core/timing.ts';
import type { Gossip } from './gossip.ts';
import type { Log } from '../log.ts';
import { onGrid } from '../core/grid.ts';
import type { Clock } from '../sys/clock.ts';

/** Peers are looked at so many times a heartbeat while one of them is late: silence is seen soon after it begins. */
const LOOKS = 4;
/** Heard so many heartbeats ago, a peer is looked at: a moment after it is quiet (`isQuiet`). */
const LATE = 1.5;
/** Alive, fresh, not quiet. */
const CALM = 'alive true false';

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
  let lookAtMs = -Infinity;
  /** Every peer was, at the last look. */
  let calm = false;

  /** A peer that was just heard says nothing new before it is late: nobody has to wake for it. */
  function nextLookAtMs(peer: NodeView, nowMs: number): number {
    const { peerClass, fresh, heardAtMs } = peer;
    const isCalm = peerClass === 'alive' && fresh && !isQuiet(peer, timing, nowMs);
    const soon = nowMs + timing.heartbeatMs / LOOKS;
    return isCalm ? Math.max(soon, calmUntilMs(peer.node, heardAtMs)) : soon;
  }

  /** Until when one that was calm at the last look is so still, by what was heard; -Infinity: only a look tells. */
  function calmUntilMs(node: string, heardAtMs: number | null): number {
    const known = gossip.contact(node);
    if (known === null || heardAtMs === null || known.agentGoneAtMs !== null) return -Infinity;
    const currentAtMs = known.currentAtMs ?? -Infinity;
    if (currentAtMs < heardAtMs - timing.heartbeatMs || known.epochs.areSeveral()) return -Infinity;
    return heardAtMs + LATE * timing.heartbeatMs;
  }

  function beat(nowMs: number): void {
    gossip.beat();
    beatAtMs = nowMs + onGrid(nowMs, timing.heartbeatMs);
  }

  /** Nothing of what was seen at the last look can be otherwise by now. */
  function isCalm(nowMs: number): boolean {
    if (nowMs < lookAtMs) return true;
    if (!calm) return false;
    const untilMs = Array.from(classes.keys(), (node) =>
      calmUntilMs(node, gossip.contact(node)?.heardAtMs ?? null),
    );
    lookAtMs = Math.min(...untilMs);
    return nowMs < lookAtMs;
  }

  function look(nowMs: number): void {
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
    lookAtMs = Math.min(...peers.map((peer) => nextLookAtMs(peer, nowMs)));
    calm = Array.from(classes.values()).every((one) => one === CALM);
  }

  function wake(): void {
    const nowMs = clock.nowMs();
    if (nowMs >= beatAtMs) beat(nowMs);
    if (!isCalm(nowMs)) look(nowMs);
    cancel = clock.after(Math.max(1, Math.min(beatAtMs, lookAtMs) - nowMs), wake);
  }

  wake();
  return { stop: () => cancel() };
}

import type { Received, NodeReport, NodeView } from '../core/model.ts';
import type { View } from '../core/decide/view.ts';
import { isQuiet, ownView, withEcho } from '../core/peers.ts';
import type { CarpObservation } from './observe.ts';
import type { LoopOptions } from './ports.ts';
import { pinsReached } from './reached-pins.ts';

/** What this host knows of itself besides its report. */
interface Own {
  /** Null: CARP cannot be read. */
  readonly reading: () => CarpObservation | null;
  readonly received: () => Received | null;
  readonly fenceMine: () => boolean;
  readonly lateAtMs: () => number | null;
}

/** What the policy is shown: this node's report beside what gossip and echo say of the others. */
export function views(options: LoopOptions, own: Own) {
  const { clock, gossip, timing, prober } = options;
  const reachedPins = pinsReached(clock);
  return {
    /** The peers with what echo says of them; those that fell silent are asked more often. */
    peers(nowMs: number): NodeView[] {
      const paths = prober.readings();
      const peers = gossip.peers(nowMs).map((peer) => withEcho(peer, paths, timing, nowMs));
      prober.attend(peers.filter((one) => isQuiet(one, timing, nowMs)).map(({ node }) => node));
      return peers;
    },
    of(report: NodeReport, peers: readonly NodeView[], nowMs: number): View {
      const nodes = [ownView(options.node, nowMs, report), ...peers];
      const intents = gossip.intents();
      return {
        self: options.node,
        nodes,
        intents,
        policy: options.policy,
        timing,
        paths: prober.readings(),
        lateAtMs: own.lateAtMs(),
        allow: own.reading()?.allow ?? null,
        fenceMine: own.fenceMine(),
        received: own.received(),
        wallMs: clock.wallMs(),
        reachedPins: reachedPins(intents, nodes),
      };
    },
  };
}

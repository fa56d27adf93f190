import { randomInt } from 'node:crypto';
import type { Config } from '../config/config.ts';
import type { startNode } from '../node.ts';
import { makeLinks } from '../rpc/links.ts';
import type { Tls } from '../rpc/tls.ts';
import type { Clock } from '../sys/clock.ts';

/** The way to the peers, made before the node that speaks over it, and opened with it. */
export function hostLinks(host: {
  readonly config: Config;
  readonly tls: Tls;
  readonly clock: Clock;
  /** A peer was reached, for the first time or again. */
  readonly onConnected: () => void;
  /** Who was revoked, for a peer that was away at the time; empty: nobody. */
  readonly revoked: () => string;
  /** A peer could not be dialled for want of a descriptor here. */
  readonly onExhausted: (cause: string) => void;
}) {
  const { config, tls, clock, onConnected, revoked, onExhausted } = host;
  const random = (): number => randomInt(1_000_000) / 1_000_000;
  const links = makeLinks({ peers: config.peers, tls, clock, random });
  const lastEnd = new Map<string, string>();
  const tellRevoked = (peer: string): void => {
    const list = revoked();
    if (list === '') return;
    const told = links.peerCalls(peer).storeRevocations(list);
    told.catch(() => undefined);
  };
  return {
    ...links,
    /** Why that peer is not connected; empty when it is, or was not yet. */
    silence: (peer: string): string => lastEnd.get(peer) ?? '',
    /** Connects, and hands what comes in to `gossip`. */
    open({ gossip }: Pick<ReturnType<typeof startNode>, 'gossip'>): void {
      links.open({
        hello: gossip.hello,
        onConnected(peer) {
          lastEnd.delete(peer);
          gossip.connected(peer);
          // Before anything else is asked of it.
          tellRevoked(peer);
          onConnected();
        },
        onClosed(peer, how, cause) {
          lastEnd.set(peer, cause);
          if (how === 'exhausted') onExhausted(cause);
          // The host answers and its agent does not: the kernel goes on without it.
          if (how === 'refused' || how === 'reset' || how === 'ended') gossip.gone(peer, cause);
        },
        onReply: gossip.receive,
      });
    },
  };
}

import type { GossipMessage } from '../core/gossip.ts';
import type { Intent } from '../core/model.ts';
import type { Hello } from './hello.ts';

/** What comes of what peers say to this agent; `from` is always the name in their certificate. */
export interface FromPeers {
  /** What this agent answers to a hello. */
  hello(): Hello;
  /** Never a hello, and never before `opened`. */
  receive(from: string, message: GossipMessage): void;
  /** `hello` is what the other side said of itself: node, pair and protocol have been checked. */
  opened(from: string, hello: Hello): void;
  /** 'ended': the other side closed it; 'reset': it was cut. Not called when a newer stream took its place. */
  closed(from: string, how: 'ended' | 'reset'): void;
  /** Resolves once they are on this node's disk, to what is newer here and wins over what was sent. */
  storeIntents(from: string, intents: readonly Intent[]): Promise<readonly Intent[]>;
}

/** Gossip as the receiving half of it; `appeared` hears of each peer that opens its stream. */
export function fromPeers(
  gossip: Pick<FromPeers, 'hello' | 'receive'> & { gone(peer: string, cause: string): void },
  storeIntents: FromPeers['storeIntents'],
  appeared: (peer: string) => void,
): FromPeers {
  return {
    hello: () => gossip.hello(),
    receive: (from, message) => gossip.receive(from, message),
    opened(from, hello) {
      appeared(from);
      gossip.receive(from, hello);
    },
    closed: (from, how) =>
      gossip.gone(from, how === 'ended' ? 'it closed its connection' : 'its connection was cut'),
    storeIntents,
  };
}

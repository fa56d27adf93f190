import type { Decide } from '../../agent/core/decide.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Gossip } from '../../agent/gossip.ts';
import type { CarpPort } from '../../agent/loop-ports.ts';
import type { State } from '../../agent/store/state.ts';
import type { Host } from './host.ts';

/** A bug on purpose: what of an agent's parts is replaced. The product has none of these switches. */
export interface Planted {
  readonly name: string;
  /** A policy for one start of one agent. */
  readonly decide?: () => Decide;
  readonly carp?: (port: CarpPort, host: Host) => CarpPort;
  readonly durable?: (state: State) => State;
  /** Changes what arrives; null: as it is. */
  readonly receive?: (message: GossipMessage, gossip: Gossip) => GossipMessage | null;
}

const BUGS: readonly Planted[] = [];

/** The bug of that name; undefined for no name. */
export function planted(name: string | undefined): Planted | undefined {
  return BUGS.find((one) => one.name === name);
}

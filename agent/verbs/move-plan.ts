import type { MoveAct } from '../core/acts.ts';
import { pinKey, wish } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import { mastersOf, type PairAddress } from './addresses.ts';
import { requireNode, type Pair } from './pair.ts';

/** What a move is to do with one address. */
export interface Plan {
  readonly address: PairAddress;
  readonly from: string;
  readonly to: string;
  readonly pin: Intent | null;
  /** MASTER there already, alone. */
  readonly there: boolean;
}

/** Where an address is, and where an act wants it; throws ActFailure where it names no node. */
export function planOf(pair: Pair, act: MoveAct, address: PairAddress): Plan {
  const masters = mastersOf(pair, address.id);
  const from = masters.length === 1 ? (masters[0] ?? '') : '';
  const pin = wish(pair.intents(), pinKey(address.id), pair.clock.wallMs());
  // Said before: a step that is tried again must not undo itself.
  const pinned = act.toggle ? undefined : pin?.value;
  const to = act.unpin ? address.preferred : (act.to ?? pinned ?? other(pair, address, from));
  requireNode(pair, to, 'proxyctl failover --to names one of them');
  return { address, from, to, pin, there: from === to };
}

/** Its pin names the node that it is to go to. */
export const isPinnedTo = ({ pin, to }: Plan): boolean => pin !== null && pin.value === to;

/** The other node, or of several the preferred one that is in touch. */
function other(pair: Pair, address: PairAddress, from: string): string {
  const rest = address.nodes.filter(({ node }) => node !== from);
  const chosen = rest.find(({ fresh }) => fresh) ?? rest[0];
  if (chosen !== undefined) return chosen.node;
  const peer = pair.members.find(({ node }) => node !== from);
  return peer?.node ?? pair.node;
}

/** The node that it is to go to is MASTER, alone. */
export function isThere(pair: Pair, { address, to }: Plan): boolean {
  const masters = mastersOf(pair, address.id);
  return masters.length === 1 && masters[0] === to;
}

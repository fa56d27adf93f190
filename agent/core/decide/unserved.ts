import type { AddressReport, NodeReport } from '../model.ts';
import { goalOf } from './candidates.ts';
import type { Ownership } from './owner.ts';
import { freshNodes } from '../peers.ts';
import { effectiveAdvskew } from '../timing.ts';
import type { View } from './view.ts';

/** No other node is heard, and not all of them are known to be dead. */
export const isUnheard = (view: View): boolean =>
  freshNodes(view.nodes).every(({ node }) => node === view.self) &&
  view.nodes.some(({ node, peerClass }) => node !== view.self && peerClass !== 'dead');

/**
 * This MASTER answers for an address and its HAProxy is dead, while another
 * should have it and is let, or might live: nobody is heard.
 */
export function isUnserved(
  view: View,
  me: NodeReport,
  { state, advskew }: AddressReport,
  { owner }: Ownership,
): boolean {
  if (state !== 'MASTER' || me.health !== 'down') return false;
  if (isUnheard(view)) return true;
  if (owner === null || owner.node === view.self || owner.report.health === 'down') return false;
  // What the kernel holds lets it win already: the rest of the handshake is not made.
  return effectiveAdvskew(advskew, me.demotion) >= goalOf(owner);
}

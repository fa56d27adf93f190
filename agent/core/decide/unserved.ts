import { LOWERED_ADVSKEW, type AddressReport, type NodeReport, type NodeView } from '../model.ts';
import { goalOf, type Candidate } from './candidates.ts';
import type { Ownership } from './owner.ts';
import { freshNodes } from '../peers.ts';
import { effectiveAdvskew, ISOLATED_MS } from '../timing.ts';
import type { View } from './view.ts';

/** That node is heard, and does not hear this one. */
export const isDeaf = ({ oneWay }: NodeView): boolean => oneWay?.deaf === 'it';

/**
 * Nobody answers: no other node is heard that hears this one, and one of them might serve. One that is
 * dead cannot, nor one that says that its HAProxy is: it is believed though it hears nothing.
 */
export const isUnheard = (view: View): boolean =>
  freshNodes(view.nodes).every((one) => one.node === view.self || isDeaf(one)) &&
  view.nodes.some((one) => one.node !== view.self && mightServe(one));

const mightServe = ({ peerClass, fresh, report }: NodeView): boolean =>
  peerClass !== 'dead' && !(fresh && report?.health === 'down');

/** Since when nobody answers; only where `isUnheard`. */
const unheardSinceMs = ({ nodes, self }: View, me: NodeReport): number =>
  Math.max(
    me.agentStartedMs,
    ...nodes
      .filter(({ node }) => node !== self)
      .map((one) => (isDeaf(one) ? one.oneWay?.sinceMs : silentSinceMs(one)) ?? -Infinity),
  );

/** Two agents under one name are heard, and neither is an answer. */
const silentSinceMs = ({ doubleSinceMs, heardAtMs }: NodeView): number | null =>
  doubleSinceMs ?? heardAtMs;

/** When a MASTER that has served nobody since then is to be left to whoever lives. */
export const forsakenAtMs = (view: View, me: NodeReport, unservedSinceMs: number): number =>
  Math.max(unservedSinceMs, unheardSinceMs(view, me) + ISOLATED_MS);

/**
 * That node's HAProxy is dead, it gives the address to whoever is better, and does not hear this
 * one: what it would say to a handshake is known.
 */
export const isBeyondAsking = (view: View, { node, report, address }: Candidate): boolean =>
  report.health === 'down' &&
  address.advskew === LOWERED_ADVSKEW &&
  view.nodes.some((one) => one.node === node && isDeaf(one));

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

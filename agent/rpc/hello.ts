import type { GossipMessage } from '../core/gossip.ts';

export type Hello = GossipMessage & { readonly kind: 'hello' };

/**
 * Why this agent cannot talk with `theirs`, or null. `node` is the certificate's
 * name: who claims another is refused, and so are another pair and a gossip
 * more than one version away.
 */
export function objection(ours: Hello, theirs: Hello, node: string): string | null {
  if (theirs.node !== node)
    return `the agent says it is ${theirs.node}, its certificate says ${node}`;
  if (theirs.pair !== ours.pair)
    return `${node} belongs to the pair ${theirs.pair}, not to ${ours.pair}`;
  if (Math.abs(theirs.protocol - ours.protocol) <= 1) return null;
  const older = theirs.protocol < ours.protocol ? node : ours.node;
  return (
    `${node} speaks version ${theirs.protocol} of the protocol and ${ours.node} version ` +
    `${ours.protocol}; they must be at most one apart: upgrade ${older} first`
  );
}

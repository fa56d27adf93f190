import type { NodeView, PeerClass } from './model.ts';
import type { Timing } from './timing.ts';

/** What the transport knows of one peer; readings of this host's monotonic clock. */
export interface Contact {
  readonly node: string;
  /** Anything received from its agent; null: never since our start. */
  readonly heardAtMs: number | null;
  /** Its agent said goodbye, or its end of the connection was closed or refused while the host answers. */
  readonly agentGoneAtMs: number | null;
}

/** What is believed of a peer from how and when it was last heard. */
export function peerClass(contact: Contact, timing: Timing, nowMs: number): PeerClass {
  const { heardAtMs, agentGoneAtMs } = contact;
  if (agentGoneAtMs !== null && (heardAtMs === null || agentGoneAtMs >= heardAtMs))
    return 'agent-down';
  if (heardAtMs === null) return 'never-seen';
  return nowMs - heardAtMs < timing.suspectMs ? 'alive' : 'suspect';
}

/** True while a peer's report may take part in decisions. */
export function isFresh(contact: Contact, timing: Timing, nowMs: number): boolean {
  const kind = peerClass(contact, timing, nowMs);
  if (contact.heardAtMs === null || kind === 'agent-down') return false;
  return nowMs - contact.heardAtMs < timing.freshMs;
}

/** The nodes whose word counts now, in order of name. */
export function freshNodes(nodes: Iterable<NodeView>): NodeView[] {
  return [...nodes]
    .filter((view) => view.fresh && view.report !== null)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

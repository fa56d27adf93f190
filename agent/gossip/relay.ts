import type { GossipMessage, Heard } from '../core/gossip.ts';
import type { NodeReport } from '../core/model.ts';
import { isFresh } from '../core/peers.ts';
import type { Timing } from '../core/timing.ts';
import { isAsNew, takesOver, type Peer } from './peer.ts';
import type { Clock } from '../sys/clock.ts';

type Heartbeat = GossipMessage & { readonly kind: 'heartbeat' };

/** What of gossip's own options relaying needs. */
interface RelayOptions {
  readonly clock: Clock;
  readonly timing: Timing;
  readonly transport: { send(node: string, message: GossipMessage): boolean };
  readonly onRefused: (node: string, cause: string) => void;
  readonly onChange: () => void;
}

/**
 * With more than two nodes: what one hears and another does not. Only what a
 * node hears itself is passed on, one hop and on request, with its age; so no
 * word goes in circles and outlives its writer.
 */
export function relays(
  peers: ReadonlyMap<string, Peer>,
  { clock, timing, transport, onRefused, onChange }: RelayOptions,
) {
  /** The report of a node that is heard here, for one that does not hear it. */
  function tell(to: string, of: string): void {
    const { report = null, currentAtMs = null } = peers.get(of) ?? {};
    if (report === null || currentAtMs === null) return;
    transport.send(to, { kind: 'report', report, ageMs: clock.nowMs() - currentAtMs });
  }

  /** Whom this node hears itself: only that is passed on, so that no word goes in circles. */
  function heard(): Heard[] {
    const nowMs = clock.nowMs();
    if (peers.size < 2) return [];
    return [...peers.values()]
      .filter((peer) => isFresh(peer, timing, nowMs))
      .map(({ node, currentAtMs }) => ({ node, ageMs: nowMs - (currentAtMs ?? nowMs) }));
  }

  /** Only what was asked for: a node speaks for another because that one cannot be heard. */
  function take(from: string, report: NodeReport, ageMs: number): void {
    const peer = peers.get(report.node);
    if (peer?.askedOf !== from) {
      onRefused(from, `it sent a report that claims to be from ${report.node}`);
      return;
    }
    peer.askedOf = null;
    if (!takesOver(peer, report, clock.nowMs())) return;
    peer.report = report;
    peer.relayedAtMs = clock.nowMs() - ageMs;
    onChange();
  }

  /** What another node hears and this one does not. */
  function hears(from: string, message: Heartbeat): void {
    const nowMs = clock.nowMs();
    for (const { node, ageMs } of message.heard) {
      const peer = node === from ? undefined : peers.get(node);
      const version = message.seen.find((seen) => seen.node === node);
      if (peer === undefined || version === undefined || isFresh(peer, timing, nowMs)) continue;
      if (peer.report === null || takesOver(peer, version, nowMs)) {
        peer.askedOf = from;
        transport.send(from, { kind: 'want-report', node });
      } else if (isAsNew(version, peer.report)) {
        peer.relayedAtMs = Math.max(peer.relayedAtMs ?? -Infinity, nowMs - ageMs);
      }
    }
  }

  return { heard, tell, take, hears };
}

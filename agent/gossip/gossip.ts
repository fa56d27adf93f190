import { PROTOCOL, type GossipMessage } from '../core/gossip.ts';
import type { Intents, Merge } from '../core/intents.ts';
import type { Intent, NodeReport, NodeView, Seen, Start } from '../core/model.ts';
import { isFresh, isSameStart, withRelayed, type Contact } from '../core/peers.ts';
import type { Timing } from '../core/timing.ts';
import { isAsNew, isNewer, takesOver, unheard, viewOf, type Peer } from './peer.ts';
import { relays } from './relay.ts';
import { sharedIntents, type IntentSource } from './shared-intents.ts';
import type { Clock } from '../sys/clock.ts';

/** What gossip needs from the transport; `send` is false where nothing is connected. */
interface GossipTransport {
  send(node: string, message: GossipMessage): boolean;
}

export interface GossipOptions extends Start {
  readonly node: string;
  readonly pair: string;
  readonly agentVersion: string;
  readonly peers: readonly string[];
  readonly timing: Timing;
  readonly clock: Clock;
  readonly transport: GossipTransport;
  readonly intents: Intents;
  /** Called after new intents arrived from a peer, before anything acts on them: store them. */
  readonly onIntents: (intents: Intents, taken: readonly Intent[], by: IntentSource) => void;
  /** Something a decision may depend on has changed. */
  readonly onChange: () => void;
  /** Gossip that is not acted on, and why. */
  readonly onRefused: (node: string, cause: string) => void;
}

type Known = Contact & Pick<Readonly<Peer>, 'goneBecause' | 'differsSinceMs'>;

export type Gossip = ReturnType<typeof gossip>;

/**
 * What the nodes tell each other: each writes only its own report (epoch and
 * sequence order them), intents merge by stamp, heartbeats carry a digest and
 * what does not match is asked for. Knows nothing of connections.
 */
export function gossip(options: GossipOptions) {
  const { clock, transport, timing, node: self } = options;
  const peers = new Map<string, Peer>(options.peers.map((node) => [node, unheard(node)]));
  const relay = relays(peers, options);
  const intents = sharedIntents(options);
  let own: NodeReport | null = null;

  const hello = (): GossipMessage & { readonly kind: 'hello' } => ({
    kind: 'hello',
    node: self,
    pair: options.pair,
    protocol: PROTOCOL,
    agentVersion: options.agentVersion,
    epoch: options.epoch,
    startId: options.startId,
  });

  const startedAtMs = clock.nowMs();

  /** Every peer, those never heard too: what is missing there is not measured. */
  const heardOf = (): Seen[] =>
    [...peers.values()].map((peer) => {
      const { node, report, relayedAtMs } = peer;
      const { epoch = 0, startId = 0, sequence = 0 } = report ?? {};
      const { heardAtMs } = withRelayed(peer, relayedAtMs, timing);
      return { node, epoch, startId, sequence, ageMs: clock.nowMs() - (heardAtMs ?? startedAtMs) };
    });

  const seen = (): Seen[] => heardOf().filter(({ node }) => peers.get(node)?.report !== null);

  const sendReport = (node: string): void => {
    // Its clock is as of sending: an old report says nothing of a clock that is off.
    const wallMs = clock.wallMs();
    if (own !== null)
      transport.send(node, { kind: 'report', report: { ...own, wallMs }, ageMs: 0 });
  };

  function takeReport(peer: Peer, report: NodeReport, ageMs: number): void {
    if (report.node !== peer.node) return relay.take(peer.node, report, ageMs);
    const nowMs = clock.nowMs();
    peer.epochs.hear(report, nowMs);
    if (!takesOver(peer, report, nowMs)) return;
    peer.report = report;
    peer.currentAtMs = nowMs;
    peer.clockOffMs = report.wallMs - clock.wallMs();
    options.onChange();
  }

  function receive(from: string, message: GossipMessage): void {
    const peer = peers.get(from);
    if (peer === undefined) return options.onRefused(from, 'it is not a configured peer');
    const wasSilent = !isFresh(peer, timing, clock.nowMs());
    if (message.kind !== 'goodbye') {
      peer.heardAtMs = clock.nowMs();
      peer.agentGoneAtMs = null;
    }
    switch (message.kind) {
      case 'hello':
        peer.epochs.hear(message, clock.nowMs());
        sendReport(from);
        intents.send(peer);
        break;
      case 'heartbeat':
        heartbeat(peer, message);
        relay.hears(from, message);
        break;
      case 'report':
        takeReport(peer, message.report, message.ageMs);
        break;
      case 'intents':
        intents.take(from, message.intents, 'gossip');
        break;
      case 'want-intents':
        intents.send(peer);
        break;
      case 'want-report':
        if (message.node === self) sendReport(from);
        else relay.tell(from, message.node);
        break;
      case 'goodbye':
        gone(from, `its agent stopped: ${message.reason}`);
        break;
    }
    if (wasSilent) options.onChange();
  }

  function heartbeat(peer: Peer, message: GossipMessage & { readonly kind: 'heartbeat' }): void {
    const { report } = peer;
    const nowMs = clock.nowMs();
    peer.epochs.hear(message, nowMs);
    hearsUs(peer, message.seen, nowMs);
    peer.differsSinceMs =
      message.intentsDigest === intents.digest() ? null : (peer.differsSinceMs ?? nowMs);
    if (report === null || takesOver(peer, message, nowMs)) {
      transport.send(peer.node, { kind: 'want-report', node: peer.node });
      return void (message.intentsDigest !== intents.digest() && intents.send(peer));
    }
    if (isAsNew(message, report)) peer.currentAtMs = nowMs;
    // What another start of it has seen says nothing of this report.
    if (isSameStart(message, report) && sawMore(report.seen, message.seen)) {
      peer.report = { ...report, seen: message.seen };
      options.onChange();
    }
    if (message.intentsDigest !== intents.digest()) intents.send(peer);
  }

  /** How long it has not heard us, by its own word. */
  function hearsUs(peer: Peer, theirs: readonly Seen[], nowMs: number): void {
    const ageMs = theirs.find(({ node }) => node === self)?.ageMs ?? 0;
    const before = peer.deafSinceMs;
    peer.deafSinceMs = ageMs < timing.freshMs ? null : (before ?? nowMs);
    if ((before === null) !== (peer.deafSinceMs === null)) options.onChange();
  }

  /** The peer's agent is known to be gone while its host answers. */
  function gone(node: string, because: string): void {
    const peer = peers.get(node);
    if (peer === undefined) return;
    peer.agentGoneAtMs = clock.nowMs();
    peer.goneBecause = because;
    options.onChange();
  }

  return {
    hello,
    seen,
    receive,
    gone,
    /** A connection to the peer stands: tell it everything. */
    connected(node: string): void {
      const peer = peers.get(node);
      if (peer === undefined) return;
      peer.intentsSentAtMs = null;
      sendReport(node);
      intents.send(peer);
    },
    intents: intents.all,
    /** Merges intents that came another way (an operator's, StoreIntents). */
    store: (from: string, offered: readonly Intent[]): Merge =>
      intents.take(from, offered, 'stored'),
    /** Replaces the own report and pushes it to every peer. */
    publish(report: NodeReport): void {
      own = report;
      for (const peer of peers.keys()) sendReport(peer);
    },
    pushIntents(): void {
      for (const peer of peers.values()) {
        peer.intentsSentAtMs = null;
        intents.send(peer);
      }
    },
    /** One heartbeat to every peer. */
    beat(): void {
      const message: GossipMessage = {
        kind: 'heartbeat',
        epoch: options.epoch,
        startId: options.startId,
        sequence: own?.sequence ?? 0,
        intentsDigest: intents.digest(),
        seen: heardOf(),
        heard: relay.heard(),
      };
      const nowMs = clock.nowMs();
      for (const peer of peers.values())
        peer.standsSinceMs = transport.send(peer.node, message)
          ? (peer.standsSinceMs ?? nowMs)
          : null;
    },
    /** Every peer as it is known now, in order of name. */
    peers(nowMs: number): NodeView[] {
      return [...peers.values()]
        .map((peer) => viewOf(peer, timing, nowMs))
        .sort((a, b) => (a.node < b.node ? -1 : 1));
    },
    contact: (node: string): Known | null => peers.get(node) ?? null,
  };
}

/** True when a peer has seen more of us or others than its report says, or another start of one. */
function sawMore(known: readonly Seen[], now: readonly Seen[]): boolean {
  return now.some((seen) => {
    const before = known.find(({ node }) => node === seen.node);
    return before === undefined || !isSameStart(seen, before) || isNewer(seen, before);
  });
}

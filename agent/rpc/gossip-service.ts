import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { proxyctl } from '../../proto/gen/messages.js';
import { ActFailure } from '../core/results.ts';
import type { GossipMessage } from '../core/gossip.ts';
import { callerAddress, peerOf } from './access.ts';
import { failureToStatus } from './failures.ts';
import type { FromPeers } from './from-peers.ts';
import { gossipFromWire, gossipToWire } from '../wire/gossip.ts';
import { objection } from './hello.ts';
import type { PeerContext } from './calls-of-peers.ts';
import { turnedAway } from './turned-away.ts';
import { WireError } from '../wire/fields.ts';

type Stream = ServerDuplexStream<proxyctl.v1.GossipMessage, proxyctl.v1.GossipMessage.$Properties>;

/** The receiving half of gossip: one stream per peer, the newest wins. */
export interface GossipStreams {
  readonly gossip: (stream: Stream) => void;
  /** Ends every stream, so that the callers see an end and not a cut. */
  endAll(): void;
}

/**
 * `names` are all configured nodes, this one too: reports are relayed, so one of
 * another node is welcome, one of nobody we know is dropped with a notice.
 */
export function gossipStreams(
  peers: Omit<FromPeers, 'storeIntents'>,
  context: PeerContext,
  names: ReadonlySet<string>,
): GossipStreams {
  const { origin, clock, notices } = context;
  const current = new Map<string, Stream>();
  const open = new Set<Stream>();

  const gossip = (stream: Stream): void => {
    const address = callerAddress(stream);
    let node = '';
    let greeted = false;

    const close = (how: 'ended' | 'reset') => {
      open.delete(stream);
      if (current.get(node) !== stream) return;
      current.delete(node);
      peers.closed(node, how);
    };
    const refuse = (error: unknown) => {
      const failure = turnedAway(context, stream, 'gossip', error);
      close('ended');
      stream.emit('error', failureToStatus(failure));
    };
    const sayHello = (nowMs: number) => {
      greeted = true;
      stream.write(gossipToWire(peers.hello(), { nowMs, wallMs: clock.wallMs() }));
    };
    const receive = (message: GossipMessage, nowMs: number) => {
      if (!greeted) {
        if (message.kind !== 'hello') throw new WireError(message.kind, 'came before hello');
        const problem = objection(peers.hello(), message, node);
        if (problem !== null)
          throw new ActFailure('conflict', { code: 'not_a_partner', message: problem });
        sayHello(nowMs);
        const older = current.get(node);
        current.set(node, stream);
        older?.end();
        peers.opened(node, message);
        return;
      }
      if (message.kind === 'hello') {
        sayHello(nowMs); // the caller asks whether it is heard
        return;
      }
      if (message.kind === 'report' && !names.has(message.report.node))
        throw new WireError('report.node', `${message.report.node} is not configured here`);
      peers.receive(node, message);
    };

    stream.on('error', () => undefined);
    try {
      node = peerOf(origin, stream);
    } catch (error) {
      refuse(error);
      return;
    }
    open.add(stream);
    stream.on('data', (wire: proxyctl.v1.GossipMessage) => {
      if (!open.has(stream)) return;
      const nowMs = clock.nowMs();
      try {
        receive(gossipFromWire(wire, { nowMs, wallMs: clock.wallMs() }), nowMs);
      } catch (error) {
        if (!greeted) refuse(error);
        else if (error instanceof WireError) notices.refused(address, 'gossip', error.message);
        else notices.failed('gossip', error);
      }
    });
    stream.on('end', () => {
      close('ended');
      stream.end();
    });
    stream.on('cancelled', () => close('reset'));
    stream.on('close', () => close('reset'));
  };

  return {
    gossip,
    endAll() {
      for (const stream of open) stream.end();
    },
  };
}

import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Audit, PeerAsk } from '../core/audit/audit.ts';
import type { Clock } from '../sys/clock.ts';
import { callerOf, peerOf } from './access.ts';
import type { Calling, Origin } from './access.ts';
import { failureToStatus, toFailure } from './failures.ts';
import type { Notices } from './notices.ts';
import { turnedAway } from './turned-away.ts';

/** What both halves of the Peer service need of their listener. */
export interface PeerContext {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly audit: Audit;
}

/**
 * The kinds of plain calls between nodes: none is handled but a peer's, and what a peer has this
 * node do is on record. peer-service.ts has the calls themselves.
 */
export function callsOfPeers(context: PeerContext) {
  const { origin, notices, audit } = context;

  const unary =
    <Req, Res>(
      what: string,
      handle: (request: Req, node: string, call: Calling) => Promise<Res>,
    ): handleUnaryCall<Req, Res> =>
    (call, reply) => {
      const answer = async () => handle(call.request, admit(call, what), call);
      answer().then(
        (value) => reply(null, value),
        (error: unknown) => {
          const failure = toFailure(error, what);
          if (failure.detail.code === 'internal') notices.failed(what, error);
          reply(failureToStatus(failure));
        },
      );
    };

  const admit = (call: Calling, what: string): string => {
    try {
      return peerOf(origin, call);
    } catch (error) {
      throw turnedAway(context, call, what, error);
    }
  };

  /** A call by which a peer has this node store or do something: on record before and after. */
  const doing = <Req, Res>(
    what: string,
    about: (request: Req) => Omit<PeerAsk, 'what'>,
    handle: (request: Req, node: string) => Promise<Res>,
  ): handleUnaryCall<Req, Res> =>
    unary(what, async (request, node, call) => {
      const ended = audit.peerCall(callerOf(origin, call), { what, ...about(request) });
      const nothing = { nodes: [], certificates: [] };
      try {
        const reply = await handle(request, node);
        ended({ outcome: 'reached', changed: true, error: null, ...nothing });
        return reply;
      } catch (error) {
        const { outcome, detail } = toFailure(error, what);
        ended({ outcome, changed: false, error: detail, ...nothing });
        throw error;
      }
    });

  return { unary, doing };
}

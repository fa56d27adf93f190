import type { Client, MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { PeerService } from '../../proto/gen/services.ts';
import { ActFailure } from '../core/results.ts';
import type { InspectedCertificate, ServerReading } from '../core/answers.ts';
import type { SwapPrepare, SwapReading } from '../core/swap-messages.ts';
import type { OwnerChange } from '../core/history.ts';
import type { ShowReply } from '../core/show-commands.ts';
import type { SwapStanding } from '../core/swap.ts';
import { inspectionFrom, type Inspection } from '../core/doctor/inspection.ts';
import type { Intent } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';
import { failureFromStatus, notReached } from '../wire/failed-calls.ts';
import { changeFromWire } from '../wire/history.ts';
import { intentFromWire, intentToWire } from '../wire/intents.ts';
import { serverFromWire } from '../wire/servers.ts';
import { inspectedFromWire, standingFromWire } from '../wire/swaps.ts';
import { swapFromWire, swapPrepareToWire } from '../wire/swaps.ts';
import { WireError, each } from '../wire/fields.ts';

/**
 * What this agent asks of one peer, over the connection its gossip holds. Each
 * call ends within `deadlineMs` or throws ActFailure: the peer's own, or
 * 'unreachable' where nothing was sent (a reading: where nothing came back),
 * or 'result-unknown' where a change was sent and no answer came.
 */
export interface PeerCalls {
  storeIntents(
    intents: readonly Intent[],
    deadlineMs: number,
  ): Promise<{ readonly newer: readonly Intent[] }>;
  findServers(
    instance: string,
    backend: string,
    deadlineMs: number,
  ): Promise<readonly ServerReading[]>;
  shutSessions(
    instance: string,
    backend: string,
    server: string,
    deadlineMs: number,
  ): Promise<void>;
  show(command: string, deadlineMs: number): Promise<ShowReply>;
  checkChallenge(token: string, deadlineMs: number): Promise<readonly string[]>;
  findChallenge(token: string, deadlineMs: number): Promise<string>;
  history(deadlineMs: number): Promise<readonly OwnerChange[]>;
  swapPrepare(swap: SwapPrepare, deadlineMs: number): Promise<SwapReading>;
  swapCommit(swapId: string, deadlineMs: number): Promise<SwapReading>;
  swapAbort(swapId: string, deadlineMs: number): Promise<SwapReading>;
  swapFinish(swapId: string, deadlineMs: number): Promise<SwapReading>;
  swapState(swapId: string, deadlineMs: number): Promise<SwapStanding>;
  fetchBundle(name: string, sha256: string, deadlineMs: number): Promise<string>;
  inspectCertificates(
    served: boolean,
    deadlineMs: number,
  ): Promise<readonly InspectedCertificate[]>;
  inspect(deadlineMs: number): Promise<Inspection>;
}

/** Calls to `peer`; `connection` gives the present one, or the sentence why there is none. */
export function peerCalls(
  peer: string,
  connection: () => Client | string,
  clock: Clock,
): PeerCalls {
  const call = async <Req, Res, T>(
    name: string,
    changes: boolean,
    method: Method<Req, Res>,
    request: Req,
    deadlineMs: number,
    read: (reply: Res) => T,
  ): Promise<T> => {
    const client = connection();
    if (typeof client === 'string') throw notReached(peer, client);
    const reply = await new Promise<Res>((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + deadlineMs }, // grpc-js turns it into a timer at once
        (error: ServiceError | null, value?: Res) => {
          if (value === undefined || error !== null)
            reject(
              error === null
                ? noReply(peer, name)
                : failureFromStatus(error, { peer, name, changes }),
            );
          else resolve(value);
        },
      );
    });
    try {
      return read(reply);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const detail = { code: 'bad_reply', message: `${name} on ${peer}: ${error.message}` };
      throw new ActFailure(changes ? 'result-unknown' : 'failed', detail, { cause: error });
    }
  };
  /** A reply that names another node than the one that was dialled is no reply. */
  const from = (node: string) => {
    if (node !== peer) throw new WireError('node', `${JSON.stringify(node)} answered`);
  };
  const swap = (reply: Parameters<typeof swapFromWire>[0]): SwapReading => {
    from(reply.node);
    return swapFromWire(reply);
  };

  return {
    storeIntents: (intents, deadlineMs) => {
      const request = { intents: intents.map((intent) => intentToWire(intent, clock.wallMs())) };
      return call('store intents', true, PeerService.storeIntents, request, deadlineMs, (reply) => {
        from(reply.node);
        const wallMs = clock.wallMs();
        return { newer: each('newer', reply.newer, (one, at) => intentFromWire(one, wallMs, at)) };
      });
    },
    async findServers(instance, backend, deadlineMs) {
      const servers: ServerReading[] = [];
      for (let more = true; more;) {
        const request = { instance, backend, offset: servers.length };
        const method = PeerService.findServers;
        more = await call('find servers', false, method, request, deadlineMs, (reply) => {
          from(reply.node);
          servers.push(...each('servers', reply.servers, serverFromWire));
          return reply.more && reply.servers.length > 0;
        });
      }
      return servers;
    },
    shutSessions: (instance, backend, server, deadlineMs) =>
      call(
        'shut sessions',
        true,
        PeerService.shutSessions,
        { instance, backend, server },
        deadlineMs,
        (reply) => from(reply.node),
      ),
    show: (command, deadlineMs) =>
      call('show', false, PeerService.show, { command }, deadlineMs, (reply) => {
        from(reply.node);
        return { bytes: reply.text, cut: reply.cut };
      }),
    checkChallenge: (token, deadlineMs) =>
      call('check challenge', false, PeerService.checkChallenge, { token }, deadlineMs, (reply) => {
        from(reply.node);
        return reply.addresses;
      }),
    findChallenge: (token, deadlineMs) =>
      call('find challenge', false, PeerService.findChallenge, { token }, deadlineMs, (reply) => {
        from(reply.node);
        return reply.keyAuthorization;
      }),
    history: (deadlineMs) =>
      call('history', false, PeerService.fetchHistory, {}, deadlineMs, (reply) => {
        from(reply.node);
        const wallMs = clock.wallMs();
        return each('changes', reply.changes, (one, at) => changeFromWire(one, wallMs, at));
      }),
    swapPrepare: (request, deadlineMs) =>
      call(
        'swap prepare',
        true,
        PeerService.swapPrepare,
        swapPrepareToWire(request),
        deadlineMs,
        swap,
      ),
    swapCommit: (swapId, deadlineMs) =>
      call('swap commit', true, PeerService.swapCommit, { swapId }, deadlineMs, swap),
    swapAbort: (swapId, deadlineMs) =>
      call('swap abort', true, PeerService.swapAbort, { swapId }, deadlineMs, swap),
    swapFinish: (swapId, deadlineMs) =>
      call('swap finish', true, PeerService.swapFinish, { swapId }, deadlineMs, swap),
    swapState: (swapId, deadlineMs) =>
      call('swap state', false, PeerService.swapState, { swapId }, deadlineMs, (reply) => {
        from(reply.node);
        return standingFromWire(reply);
      }),
    fetchBundle: (name, sha256, deadlineMs) =>
      call(
        'fetch bundle',
        false,
        PeerService.fetchBundle,
        { name, sha256 },
        deadlineMs,
        (reply) => {
          from(reply.node);
          return Buffer.from(reply.pem).toString('utf8');
        },
      ),
    inspectCertificates: (served, deadlineMs) =>
      call(
        'inspect certificates',
        false,
        PeerService.inspectCertificates,
        { served },
        deadlineMs,
        (reply) => {
          from(reply.node);
          return each('certificates', reply.certificates, inspectedFromWire);
        },
      ),
    inspect: (deadlineMs) =>
      call('inspect', false, PeerService.inspect, {}, deadlineMs, (reply) => {
        from(reply.node);
        return inspectionFrom(peer, reply.inspection);
      }),
  };
}

type Method<Req, Res> = Pick<
  MethodDefinition<Req, Res>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

const noReply = (peer: string, name: string): ActFailure =>
  new ActFailure('result-unknown', { code: 'no_answer', message: `${name} on ${peer}: no answer` });

import type { UntypedServiceImplementation, handleUnaryCall } from '@grpc/grpc-js';
import type { InspectedCertificate, ServerReading } from '../core/answers.ts';
import type { SwapPrepare, SwapReading } from '../core/swap-messages.ts';
import type { Inspection } from '../core/doctor/inspection.ts';
import type { GossipMessage } from '../core/gossip.ts';
import type { OwnerChange } from '../core/history.ts';
import type { ShowReply } from '../core/show-commands.ts';
import type { SwapStanding } from '../core/swap.ts';
import type { Hello } from './hello.ts';
import type { Intent } from '../core/model.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import type { Clock } from '../sys/clock.ts';
import { peerOf } from './access.ts';
import type { Calling, Origin } from './access.ts';
import { callerAddress } from './control-service.ts';
import type { Notices } from './control-service.ts';
import { failureToStatus, toFailure } from './failures.ts';
import { serverPages } from './server-pages.ts';
import { changeToWire } from '../wire/history.ts';
import { intentFromWire, intentToWire } from '../wire/intents.ts';
import { inspectedToWire, swapPrepareFromWire, swapToWire } from '../wire/swaps.ts';
import { each, filled } from '../wire/fields.ts';

/** What the other agents can ask of this one; `node` is always the certificate's. */
export interface PeerVerbs {
  hello(): Hello;
  /** Never a hello, and never before gossipOpened. */
  receive(node: string, message: GossipMessage): void;
  /** `hello` is what the other side said of itself: node, pair and protocol have been checked. */
  gossipOpened(node: string, hello: Hello): void;
  /** 'ended': the other side closed it; 'reset': it was cut. Not called when a newer stream took its place. */
  gossipClosed(node: string, how: 'ended' | 'reset'): void;
  /** Resolves after fsync; `newer`: what is stored here and wins over what was sent. */
  storeIntents(
    node: string,
    intents: readonly Intent[],
  ): Promise<{ readonly newer: readonly Intent[] }>;
  /** Throws ActFailure 'not-found' where the backend is not. */
  findServers(instance: string, backend: string): Promise<readonly ServerReading[]>;
  shutSessions(instance: string, backend: string, server: string): Promise<void>;
  /** Throws ActFailure 'usage' for a command that does not only show something. */
  show(command: string): Promise<ShowReply>;
  /** Throws ActFailure where an address of the ACME responder does not answer rightly; '' asks whether it answers. */
  checkChallenge(token: string): Promise<readonly string[]>;
  /** From this node's own webroot; '' where it has none. */
  findChallenge(token: string): Promise<string>;
  history(): Promise<readonly OwnerChange[]>;
  swapPrepare(node: string, swap: SwapPrepare): Promise<SwapReading>;
  swapCommit(node: string, swapId: string): Promise<SwapReading>;
  swapAbort(node: string, swapId: string): Promise<SwapReading>;
  swapFinish(node: string, swapId: string): Promise<SwapReading>;
  swapState(node: string, swapId: string): Promise<SwapStanding>;
  /** Throws ActFailure 'not-found' where this node has another bundle under that name. */
  fetchBundle(node: string, name: string, sha256: string): Promise<string>;
  inspectCertificates(node: string, served: boolean): Promise<readonly InspectedCertificate[]>;
  /** Looks at this host, read only. */
  inspect(): Promise<Inspection>;
}

/** What both halves of the Peer service need of their listener. */
export interface PeerContext {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
}

/** Handlers of the Peer service's plain calls; gossip-service.ts has the stream. */
export function peerHandlers(verbs: PeerVerbs, context: PeerContext): UntypedServiceImplementation {
  const { node: self, origin, clock, notices } = context;

  const unary =
    <Req, Res>(
      what: string,
      handle: (request: Req, node: string) => Promise<Res>,
    ): handleUnaryCall<Req, Res> =>
    (call, reply) => {
      const answer = async () => handle(call.request, admit(call, what));
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
      notices.refused(callerAddress(call), what, toFailure(error, what).message);
      throw error;
    }
  };

  const pages = serverPages(
    (instance, backend) => verbs.findServers(instance, backend),
    () => clock.nowMs(),
  );
  type Step = proxyctl.v1.SwapCommitRequest;
  type SwapReply = proxyctl.v1.SwapReply.$Properties;
  const step = (what: string, verb: (node: string, swapId: string) => Promise<SwapReading>) =>
    unary<Step, SwapReply>(what, async ({ swapId }, node) =>
      swapToWire(await verb(node, filled('swap_id', swapId))),
    );

  return {
    storeIntents: unary<proxyctl.v1.StoreIntentsRequest, proxyctl.v1.StoreIntentsReply.$Properties>(
      'store intents',
      async (request, node) => {
        const wallMs = clock.wallMs();
        const intents = each('intents', request.intents, (intent, field) =>
          intentFromWire(intent, wallMs, field),
        );
        const { newer } = await verbs.storeIntents(node, intents);
        return { node: self, newer: newer.map((intent) => intentToWire(intent, clock.wallMs())) };
      },
    ),
    findServers: unary<proxyctl.v1.FindServersRequest, proxyctl.v1.FindServersReply.$Properties>(
      'find servers',
      async ({ instance, backend, offset }, node) => ({
        node: self,
        ...(await pages(node, instance, backend, offset)),
      }),
    ),
    shutSessions: unary<proxyctl.v1.ShutSessionsRequest, proxyctl.v1.ShutSessionsReply.$Properties>(
      'shut sessions',
      async ({ instance, backend, server }) => {
        const target = [filled('backend', backend), filled('server', server)] as const;
        await verbs.shutSessions(instance, ...target);
        return { node: self };
      },
    ),
    show: unary<proxyctl.v1.ShowRequest, proxyctl.v1.ShowReply.$Properties>(
      'show',
      async ({ command }) => {
        const { bytes, cut } = await verbs.show(filled('command', command));
        return { node: self, text: bytes, cut };
      },
    ),
    checkChallenge: unary<
      proxyctl.v1.CheckChallengeRequest,
      proxyctl.v1.CheckChallengeReply.$Properties
    >('check challenge', async ({ token }) => ({
      node: self,
      addresses: [...(await verbs.checkChallenge(token))],
    })),
    findChallenge: unary<
      proxyctl.v1.FindChallengeRequest,
      proxyctl.v1.FindChallengeReply.$Properties
    >('find challenge', async ({ token }) => ({
      node: self,
      keyAuthorization: await verbs.findChallenge(token),
    })),
    fetchHistory: unary<proxyctl.v1.FetchHistoryRequest, proxyctl.v1.FetchHistoryReply.$Properties>(
      'history',
      async () => {
        const changes = await verbs.history();
        return { node: self, changes: changes.map((one) => changeToWire(one, clock.wallMs())) };
      },
    ),
    swapPrepare: unary<proxyctl.v1.SwapPrepareRequest, SwapReply>(
      'swap prepare',
      async (request, node) =>
        swapToWire(await verbs.swapPrepare(node, swapPrepareFromWire(request))),
    ),
    swapCommit: step('swap commit', (node, id) => verbs.swapCommit(node, id)),
    swapAbort: step('swap abort', (node, id) => verbs.swapAbort(node, id)),
    inspect: unary<proxyctl.v1.InspectRequest, proxyctl.v1.InspectReply.$Properties>(
      'inspect',
      async () => ({ node: self, inspection: JSON.stringify(await verbs.inspect()) }),
    ),
    swapFinish: step('swap finish', (node, id) => verbs.swapFinish(node, id)),
    swapState: unary<proxyctl.v1.SwapStateRequest, proxyctl.v1.SwapStateReply.$Properties>(
      'swap state',
      async ({ swapId }, node) => ({
        node: self,
        ...(await verbs.swapState(node, filled('swap_id', swapId))),
      }),
    ),
    fetchBundle: unary<proxyctl.v1.FetchBundleRequest, proxyctl.v1.FetchBundleReply.$Properties>(
      'fetch bundle',
      async ({ name, sha256 }, node) => {
        const pem = await verbs.fetchBundle(node, filled('name', name), filled('sha256', sha256));
        return { node: self, pem: Buffer.from(pem) };
      },
    ),
    inspectCertificates: unary<
      proxyctl.v1.InspectCertificatesRequest,
      proxyctl.v1.InspectCertificatesReply.$Properties
    >('inspect certificates', async ({ served }, node) => {
      const certificates = await verbs.inspectCertificates(node, served);
      return { node: self, certificates: certificates.map(inspectedToWire) };
    }),
  };
}

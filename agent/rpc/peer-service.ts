import type { UntypedServiceImplementation, handleUnaryCall } from '@grpc/grpc-js';
import { proxyctl } from '../../proto/gen/messages.js';
import { actsOf, type Audit, type PeerAsk } from '../core/audit.ts';
import type { Member } from '../core/member.ts';
import { showCommand } from '../core/show-commands.ts';
import type { SwapReading } from '../core/swap-messages.ts';
import type { Clock } from '../sys/clock.ts';
import { callerOf, peerOf } from './access.ts';
import type { Calling, Origin } from './access.ts';
import type { Notices } from './notices.ts';
import { failureToStatus, toFailure } from './failures.ts';
import type { FromPeers } from './from-peers.ts';
import { serverPages } from './server-pages.ts';
import { turnedAway } from './turned-away.ts';
import { auditAskFromWire } from '../wire/audit.ts';
import { eventsAskFromWire } from '../wire/events.ts';
import { changeToWire } from '../wire/history.ts';
import { intentFromWire, intentToWire } from '../wire/intents.ts';
import { inspectedToWire, swapPrepareFromWire, swapToWire } from '../wire/swaps.ts';
import { LENGTHS, named, short } from '../wire/bounds.ts';
import { each, filled } from '../wire/fields.ts';

/** This node as its peers can ask it; what they store goes with who they are, FromPeers. */
export type ServedMember = Omit<Member, 'node' | 'storeIntents'>;

/** What both halves of the Peer service need of their listener. */
export interface PeerContext {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly audit: Audit;
}

/** Handlers of the Peer service's plain calls; gossip-service.ts has the stream. */
export function peerHandlers(
  member: ServedMember,
  peers: Pick<FromPeers, 'storeIntents'>,
  context: PeerContext,
): UntypedServiceImplementation {
  const { node: self, origin, clock, notices, audit } = context;

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

  const pages = serverPages(
    (instance, backend) => member.findServers(instance, backend),
    () => clock.nowMs(),
  );
  type Step = proxyctl.v1.SwapCommitRequest;
  type SwapReply = proxyctl.v1.SwapReply.$Properties;
  const step = (what: string, take: (swapId: string) => Promise<SwapReading>) =>
    doing<Step, SwapReply>(
      what,
      ({ swapId }) => ({ args: { swap: swapId } }),
      async ({ swapId }) => swapToWire(await take(named('swap_id', swapId))),
    );

  return {
    storeIntents: doing<proxyctl.v1.StoreIntentsRequest, proxyctl.v1.StoreIntentsReply.$Properties>(
      'store intents',
      ({ intents }) => ({
        objects: intents.map(({ key }) => key),
        asked: actsOf(intents),
        reason: intents[0]?.reason ?? '',
      }),
      async (request, node) => {
        const wallMs = clock.wallMs();
        const intents = each('intents', request.intents, (intent, field) =>
          intentFromWire(intent, wallMs, field),
        );
        const newer = await peers.storeIntents(node, intents);
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
    shutSessions: doing<proxyctl.v1.ShutSessionsRequest, proxyctl.v1.ShutSessionsReply.$Properties>(
      'shut sessions',
      ({ backend, server }) => ({ objects: [`${backend}/${server}`] }),
      async ({ instance, backend, server }) => {
        const target = [named('backend', backend), named('server', server)] as const;
        await member.shutSessions(instance, ...target);
        return { node: self };
      },
    ),
    show: unary<proxyctl.v1.ShowRequest, proxyctl.v1.ShowReply.$Properties>(
      'show',
      async ({ command }, _node, call) => {
        if (showCommand([command]).role !== 'viewer')
          audit.read(callerOf(origin, call), `haproxy ${command}`, []);
        const { bytes, cut } = await member.show(named('command', command, LENGTHS.command));
        return { node: self, text: bytes, cut };
      },
    ),
    checkChallenge: unary<
      proxyctl.v1.CheckChallengeRequest,
      proxyctl.v1.CheckChallengeReply.$Properties
    >('check challenge', async ({ token }) => ({
      node: self,
      addresses: [...(await member.checkChallenge(token))],
    })),
    findChallenge: unary<
      proxyctl.v1.FindChallengeRequest,
      proxyctl.v1.FindChallengeReply.$Properties
    >('find challenge', async ({ token }) => ({
      node: self,
      keyAuthorization: await member.findChallenge(token),
    })),
    fetchHistory: unary<proxyctl.v1.FetchHistoryRequest, proxyctl.v1.FetchHistoryReply.$Properties>(
      'history',
      async () => {
        const changes = await member.history();
        return { node: self, changes: changes.map((one) => changeToWire(one, clock.wallMs())) };
      },
    ),
    swapPrepare: doing<proxyctl.v1.SwapPrepareRequest, SwapReply>(
      'swap prepare',
      ({ swapId, bundles, actor, reason, dryRun }) => ({
        objects: bundles.map(({ path }) => (path === '' ? 'by its names' : path)),
        args: { swap: swapId },
        asked: [{ actor, requestId: '' }],
        reason,
        dryRun,
      }),
      async (request) => swapToWire(await member.swapPrepare(swapPrepareFromWire(request))),
    ),
    swapCommit: step('swap commit', (id) => member.swapCommit(id)),
    swapAbort: step('swap abort', (id) => member.swapAbort(id)),
    inspect: unary<proxyctl.v1.InspectRequest, proxyctl.v1.InspectReply.$Properties>(
      'inspect',
      async () => ({ node: self, inspection: JSON.stringify(await member.inspect()) }),
    ),
    storeRevocations: doing<
      proxyctl.v1.StoreRevocationsRequest,
      proxyctl.v1.StoreRevocationsReply.$Properties
    >(
      'store revocations',
      ({ list }) => ({ args: { bytes: list.length } }),
      async ({ list }) => ({
        node: self,
        changed: await member.storeRevocations(filled('list', list)),
      }),
    ),
    swapFinish: step('swap finish', (id) => member.swapFinish(id)),
    swapState: unary<proxyctl.v1.SwapStateRequest, proxyctl.v1.SwapStateReply.$Properties>(
      'swap state',
      async ({ swapId }) => ({
        node: self,
        ...(await member.swapState(named('swap_id', swapId))),
      }),
    ),
    fetchBundle: unary<proxyctl.v1.FetchBundleRequest, proxyctl.v1.FetchBundleReply.$Properties>(
      'fetch bundle',
      async ({ name, sha256 }, _node, call) => {
        // A private key leaves this host with it.
        audit.read(callerOf(origin, call), 'fetch bundle', [name]);
        const pem = await member.fetchBundle(
          named('name', name, LENGTHS.path),
          named('sha256', sha256),
        );
        return { node: self, pem: Buffer.from(pem) };
      },
    ),
    fetchAudit: unary<proxyctl.v1.AuditRequest, proxyctl.v1.FetchAuditReply.$Properties>(
      'audit',
      async (request) => {
        const { lines, leftOut } = await member.audit(auditAskFromWire(request));
        return { node: self, lines: [...lines], leftOut };
      },
    ),
    fetchEvents: unary<proxyctl.v1.EventsRequest, proxyctl.v1.FetchEventsReply.$Properties>(
      'events',
      async (request) => {
        const { lines, leftOut } = await member.events(eventsAskFromWire(request));
        return { node: self, lines: [...lines], leftOut };
      },
    ),
    testNotify: doing<proxyctl.v1.TestNotifyRequest, proxyctl.v1.PeerTestNotifyReply.$Properties>(
      'notify test',
      ({ target }) => ({ objects: target === '' ? [] : [target] }),
      async ({ target }) => ({
        node: self,
        targets: [...(await member.testNotify(short('target', target, LENGTHS.name)))],
      }),
    ),
    inspectCertificates: unary<
      proxyctl.v1.InspectCertificatesRequest,
      proxyctl.v1.InspectCertificatesReply.$Properties
    >('inspect certificates', async ({ served }) => {
      const certificates = await member.inspectCertificates(served);
      return { node: self, certificates: certificates.map(inspectedToWire) };
    }),
  };
}

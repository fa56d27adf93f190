import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import type { proxyctl } from '../../proto/gen/messages.js';
import { actsOf } from '../core/audit/audit.ts';
import type { Member } from '../core/member.ts';
import { showCommand, showName } from '../core/show-commands.ts';
import type { SwapReading } from '../core/certs/swap-messages.ts';
import { DRILL_MEANS } from '../core/drill.ts';
import { callerOf } from './access.ts';
import { callsOfPeers } from './calls-of-peers.ts';
import type { PeerContext } from './calls-of-peers.ts';
import type { FromPeers } from './from-peers.ts';
import { serverPages } from './server-pages.ts';
import { auditAskFromWire } from '../wire/audit.ts';
import { configToWire } from '../wire/config.ts';
import {
  deployStateToWire,
  numberOf,
  pushPrepareFromWire,
  pushReadingToWire,
  pushStepFromWire,
} from '../wire/config-push.ts';
import { deployAnswerToWire, messageFromWire } from '../wire/deploy.ts';
import { eventsAskFromWire } from '../wire/events.ts';
import { changeToWire } from '../wire/history.ts';
import { intentFromWire, intentToWire } from '../wire/intents.ts';
import { inspectedToWire, swapPrepareFromWire, swapToWire } from '../wire/swaps.ts';
import { LENGTHS, named, short } from '../wire/bounds.ts';
import { each, filled, oneOf } from '../wire/fields.ts';

/** This node as its peers can ask it; what they store goes with who they are, FromPeers. */
export type ServedMember = Omit<Member, 'node' | 'storeIntents'>;

/** Handlers of the Peer service's plain calls; gossip-service.ts has the stream. */
export function peerHandlers(
  member: ServedMember,
  peers: Pick<FromPeers, 'storeIntents'>,
  context: PeerContext,
): UntypedServiceImplementation {
  const { node: self, origin, clock, audit } = context;
  const { unary, doing } = callsOfPeers(context);

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
      'haproxy show',
      async ({ command }, _node, call) => {
        if (showCommand([command]).role !== 'viewer')
          audit.read(callerOf(origin, call), `haproxy ${showName(command)}`, []);
        const { bytes, cut } = await member.show(named('command', command, LENGTHS.command));
        return { node: self, text: bytes, cut };
      },
    ),
    checkConfig: unary<
      proxyctl.v1.CheckConfigRequest,
      proxyctl.v1.PeerCheckConfigReply.$Properties
    >('config check', async ({ message }, _node, call) => {
      // What it checks may run as root.
      audit.read(callerOf(origin, call), 'config check', []);
      const answer = await member.checkConfig(messageFromWire(message));
      return { node: self, answer: deployAnswerToWire(answer) };
    }),
    pushPrepare: doing<proxyctl.v1.PushPrepareRequest, proxyctl.v1.PushReply.$Properties>(
      'push prepare',
      ({ pushId, actor, reason, dryRun }) => ({
        args: { push: pushId },
        asked: [{ actor, requestId: '' }],
        reason,
        dryRun,
      }),
      async (request) => pushReadingToWire(await member.pushPrepare(pushPrepareFromWire(request))),
    ),
    pushStep: doing<proxyctl.v1.PushStepRequest, proxyctl.v1.PushStepReply.$Properties>(
      'push step',
      ({ pushId, step }) => ({ args: { push: pushId, step } }),
      async (request) => {
        const { pushId, step } = pushStepFromWire(request);
        await member.pushStep(pushId, step);
        return { node: self };
      },
    ),
    pushState: unary<proxyctl.v1.PushStateRequest, proxyctl.v1.PushStateReply.$Properties>(
      'push state',
      async ({ pushId, number }) => ({
        node: self,
        ...(await member.pushState(named('push_id', pushId), numberOf('number', number))),
      }),
    ),
    fetchDeployState: unary<unknown, proxyctl.v1.FetchDeployStateReply.$Properties>(
      'config history',
      async () => ({ node: self, state: deployStateToWire(await member.deployState()) }),
    ),
    readConfig: unary<proxyctl.v1.ReadConfigRequest, proxyctl.v1.ReadConfigReply.$Properties>(
      'config',
      async ({ key }) => ({ node: self, config: configToWire(await member.readConfig(key)) }),
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
    closeFrontends: doing<
      proxyctl.v1.CloseFrontendsRequest,
      proxyctl.v1.CloseFrontendsReply.$Properties
    >(
      'close frontends',
      ({ leaseMs }) => ({ args: { lease_ms: leaseMs } }),
      async ({ means, leaseMs }) => ({
        node: self,
        means: await member.closeFrontends(
          means === '' ? null : oneOf('means', means, DRILL_MEANS),
          leaseMs,
        ),
      }),
    ),
    openFrontends: doing<
      proxyctl.v1.OpenFrontendsRequest,
      proxyctl.v1.OpenFrontendsReply.$Properties
    >(
      'open frontends',
      () => ({}),
      async () => {
        await member.openFrontends();
        return { node: self };
      },
    ),
    endAgent: doing<proxyctl.v1.EndAgentRequest, proxyctl.v1.EndAgentReply.$Properties>(
      'end agent',
      () => ({}),
      async () => {
        await member.endAgent();
        return { node: self };
      },
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

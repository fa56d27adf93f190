import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { ControlService } from '../../proto/gen/services.ts';
import type { ControlVerbs } from '../core/verbs.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import {
  addressesFromWire,
  automationFromWire,
  maintenanceFromWire,
  moveFromWire,
} from '../wire/acts.ts';
import { challengeFromWire } from '../wire/acts.ts';
import { drillFromWire, drillSeenFromWire } from '../wire/drill.ts';
import { pushFromWire, rollbackFromWire, serversFromWire, weightsFromWire } from '../wire/acts.ts';
import { revocationsFromWire } from '../wire/acts.ts';
import { auditAskFromWire } from '../wire/audit.ts';
import { configAnswerToWire, configAskFromWire } from '../wire/config.ts';
import { configPushFromWire, versionsToWire } from '../wire/config-push.ts';
import { configCheckedToWire, messageFromWire } from '../wire/deploy.ts';
import { eventsAskFromWire } from '../wire/events.ts';
import { notifyTestedToWire } from '../wire/notify.ts';
import { linesToWire } from '../wire/lines.ts';
import { doctorToWire } from '../wire/doctor.ts';
import { showCommand, showName } from '../core/show-commands.ts';
import { explainToWire } from '../wire/explain.ts';
import { historyToWire } from '../wire/history.ts';
import { hasRole } from './access.ts';
import { controlCalls } from './control-calls.ts';
import type { ControlContext, EventStream } from './control-calls.ts';
import { InPieces } from './in-pieces.ts';
import { readUpload } from './upload.ts';
import { serversAnswerToWire } from '../wire/servers.ts';
import { showAnswerToWire } from '../wire/show.ts';
import { statusToWire } from '../wire/status.ts';
import { COUNTS, LENGTHS, listed, named, short } from '../wire/bounds.ts';
import { orNull } from '../wire/fields.ts';
import { certificatesToWire } from '../wire/swaps.ts';

/** Handlers of the Control service for one listener: they only translate. */
export function controlHandlers(
  verbs: ControlVerbs,
  context: ControlContext,
): UntypedServiceImplementation {
  const { clock } = context;
  const { looks, lists, run, acts } = controlCalls(context);

  return {
    status: looks('status', async () => {
      const at = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      return inPieces('status', statusToWire(await verbs.status(), at));
    }),
    explain: looks('explain', async ({ addresses }: proxyctl.v1.ExplainRequest) =>
      explainToWire(await verbs.explain(addressesFromWire(addresses)), clock.nowMs()),
    ),
    history: looks('history', async ({ addresses, limit }: proxyctl.v1.HistoryRequest) =>
      historyToWire(
        await verbs.history(addressesFromWire(addresses), limit === 0 ? null : limit),
        clock.wallMs(),
      ),
    ),
    doctor: looks('doctor', async ({ addresses, nodes }: proxyctl.v1.DoctorRequest) =>
      doctorToWire(
        await verbs.doctor({
          addresses: addressesFromWire(addresses),
          nodes: listed('nodes', nodes, COUNTS.nodes, (node, field) => named(field, node)),
        }),
      ),
    ),
    move: acts('move', 'operator', moveFromWire, (...act) => verbs.move(...act)),
    setMaintenance: acts('maintenance', 'operator', maintenanceFromWire, (...act) =>
      verbs.setMaintenance(...act),
    ),
    setAutomation: acts('automation', 'operator', automationFromWire, (...act) =>
      verbs.setAutomation(...act),
    ),
    setServers: acts('servers', 'operator', serversFromWire, (...act) => verbs.setServers(...act)),
    setWeights: acts('weight', 'operator', weightsFromWire, (...act) => verbs.setWeights(...act)),
    servers: (call: ServerWritableStream<proxyctl.v1.ServersRequest, ServersPage>) =>
      void lists(call, 'servers', async () =>
        pagesOf(
          serversAnswerToWire(
            await verbs.servers(orNull(short('backend', call.request.backend, LENGTHS.name))),
            clock.wallMs(),
          ),
        ),
      ),
    show: (call: ServerWritableStream<proxyctl.v1.ShowCommandRequest, ShowPiece>) =>
      void lists(
        call,
        `haproxy ${showName(call.request.command)}`,
        async () =>
          showAnswerToWire(
            await verbs.show(short('command', call.request.command, LENGTHS.command)),
          ),
        () => showCommand([call.request.command]).role,
      ),
    readConfig: (call: ServerWritableStream<proxyctl.v1.ConfigRequest, ConfigPiece>) =>
      void lists(call, 'config', async () => {
        const ask = configAskFromWire(call.request);
        // By asking whether a password is the node's, it could be guessed.
        const isAdmin = hasRole(context.origin, call, 'admin');
        return configAnswerToWire(await verbs.readConfig(isAdmin ? ask : { secrets: [] }));
      }),
    checkConfig: (call: ServerWritableStream<proxyctl.v1.CheckConfigRequest, CheckPiece>) =>
      void lists(
        call,
        'config check',
        async () =>
          configCheckedToWire(await verbs.checkConfig(messageFromWire(call.request.message))),
        () => 'admin',
      ),
    pushConfig: acts('config push', 'admin', configPushFromWire, (...act) =>
      verbs.pushConfig(...act),
    ),
    configVersions: (call: ServerWritableStream<unknown, VersionsPiece>) =>
      void lists(call, 'config history', async () => versionsToWire(await verbs.configVersions())),
    audit: (call: ServerWritableStream<proxyctl.v1.AuditRequest, AuditPiece>) =>
      void lists(
        call,
        'audit',
        async () => linesToWire(await verbs.audit(auditAskFromWire(call.request))),
        () => 'operator',
        // Who follows it would be all that it shows.
        false,
      ),
    events: (call: ServerWritableStream<proxyctl.v1.EventsRequest, EventsPiece>) =>
      void lists(call, 'events', async () =>
        linesToWire(await verbs.events(eventsAskFromWire(call.request))),
      ),
    testNotify: (call: ServerWritableStream<proxyctl.v1.TestNotifyRequest, NotifyPiece>) =>
      void lists(
        call,
        'notify test',
        async () => {
          const target = short('target', call.request.target, LENGTHS.name);
          return [notifyTestedToWire(await verbs.testNotify(target))];
        },
        () => 'operator',
      ),
    certificates: looks('certificates', async ({ served }: proxyctl.v1.CertificatesRequest) =>
      inPieces(
        'certificates',
        certificatesToWire(await verbs.certificates(served), clock.wallMs()),
      ),
    ),
    rollbackCertificates: acts('certificates', 'admin', rollbackFromWire, (...act) =>
      verbs.rollbackCertificates(...act),
    ),
    // What it does is the CA's word, whoever brings it.
    publishRevocations: acts('revocations', 'operator', revocationsFromWire, (...act) =>
      verbs.publishRevocations(...act),
    ),
    setChallenge: acts('acme', 'operator', challengeFromWire, (...act) =>
      verbs.setChallenge(...act),
    ),
    drill: acts('drill', 'operator', drillFromWire, (...act) => verbs.drill(...act)),
    drillSeen: acts('drill seen', 'operator', drillSeenFromWire, (...act) =>
      verbs.drillSeen(...act),
    ),
    pushCertificates: (call: Upload) =>
      void run(
        call,
        'certificates',
        'admin',
        async () => {
          const { request, bundles } = await readUpload(call);
          return pushFromWire(request, bundles);
        },
        (...act) => verbs.pushCertificate(...act),
      ),
  };
}

function* pagesOf(
  pages: Iterable<Iterable<ServersPage>>,
): Generator<InPieces<ServersPage>, void, undefined> {
  for (const page of pages) yield inPieces('servers', page);
}

const inPieces = <P>(method: 'status' | 'servers' | 'certificates', pieces: Iterable<P>) =>
  new InPieces(pieces, ControlService[method].responseSerialize as (piece: P) => Buffer);

type AuditPiece = proxyctl.v1.AuditReply.$Properties;
type NotifyPiece = proxyctl.v1.TestNotifyReply.$Properties;
type EventsPiece = proxyctl.v1.EventsReply.$Properties;
type VersionsPiece = proxyctl.v1.ConfigVersionsReply.$Properties;
type CheckPiece = proxyctl.v1.CheckConfigReply.$Properties;
type ConfigPiece = proxyctl.v1.ConfigReply.$Properties;
type ShowPiece = proxyctl.v1.ShowCommandReply.$Properties;
type ServersPage = proxyctl.v1.ServersReply.$Properties;
type Upload = Parameters<typeof readUpload>[0] & EventStream;

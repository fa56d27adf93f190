import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Role } from '../core/acts.ts';
import type { Audit, AuditedAct } from '../core/audit.ts';
import type { ActResult } from '../core/results.ts';
import type { ControlVerbs, Report } from '../core/verbs.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import type { Clock } from '../sys/clock.ts';
import { callerOf, operatorOf } from './access.ts';
import type { Calling, Origin } from './access.ts';
import {
  addressesFromWire,
  automationFromWire,
  maintenanceFromWire,
  moveFromWire,
} from '../wire/acts.ts';
import { challengeFromWire } from '../wire/acts.ts';
import { pushFromWire, rollbackFromWire, serversFromWire, weightsFromWire } from '../wire/acts.ts';
import { revocationsFromWire } from '../wire/acts.ts';
import { auditAnswerToWire, auditAskFromWire } from '../wire/audit.ts';
import { doctorToWire } from '../wire/doctor.ts';
import { showCommand, showName } from '../core/show-commands.ts';
import { explainToWire } from '../wire/explain.ts';
import { historyToWire } from '../wire/history.ts';
import { failureToStatus, toFailure } from './failures.ts';
import type { Notices } from './notices.ts';
import { turnedAway } from './turned-away.ts';
import { readUpload } from './upload.ts';
import { progressToWire, resultToWire } from '../wire/results.ts';
import { serversAnswerToWire } from '../wire/servers.ts';
import { showAnswerToWire } from '../wire/show.ts';
import { statusToWire } from '../wire/status.ts';
import { COUNTS, LENGTHS, listed, named, short } from '../wire/bounds.ts';
import { orNull } from '../wire/fields.ts';
import { certificatesToWire } from '../wire/swaps.ts';

interface Context {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly audit: Audit;
}

/** Heartbeats come first. */
const othersTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

type EventStream = Pick<
  ServerWritableStream<unknown, proxyctl.v1.Event.$Properties>,
  'write' | 'end' | 'on' | 'emit' | 'cancelled'
> &
  Calling;

/** Handlers of the Control service for one listener: they only translate. */
export function controlHandlers(
  verbs: ControlVerbs,
  context: Context,
): UntypedServiceImplementation {
  const { origin, clock, notices, audit } = context;
  const may = (call: Calling, needed: Role, what: string) => {
    try {
      return operatorOf(origin, call, needed, what);
    } catch (error) {
      throw turnedAway(context, call, what, error);
    }
  };

  /** A handler that only looks: one question, one answer, for every role. */
  const looks =
    <Q, R>(what: string, read: (request: Q) => Promise<R>): handleUnaryCall<Q, R> =>
    (call, reply) => {
      const answer = async () => {
        may(call, 'viewer', what);
        const value = await read(call.request);
        // With thousands of certificates the answer is milliseconds of encoding, in one go.
        await othersTurn();
        return value;
      };
      answer().then(
        (value) => reply(null, value),
        (error: unknown) => reply(failureToStatus(explain(error, what))),
      );
    };

  /**
   * A handler that only looks and answers in pieces, for every role or from `needed` on: then it
   * is on record who looked, unless `recorded` is false.
   */
  const lists = async <P>(
    stream: Pick<ServerWritableStream<unknown, P>, 'write' | 'end' | 'on' | 'emit' | 'cancelled'> &
      Calling,
    what: string,
    read: () => Promise<Iterable<P>>,
    needed: () => Role = () => 'viewer',
    recorded = true,
  ): Promise<void> => {
    stream.on('error', () => undefined);
    try {
      may(stream, 'viewer', what);
      const role = needed();
      if (role !== 'viewer') {
        may(stream, role, what);
        if (recorded) audit.read(callerOf(origin, stream), what, []);
      }
      for (const piece of await read()) {
        if (stream.cancelled) return;
        stream.write(piece);
        await othersTurn();
      }
      stream.end();
    } catch (error) {
      stream.emit('error', failureToStatus(explain(error, what)));
    }
  };

  /** A failure for the caller; what is not one yet is for the log too. */
  const explain = (error: unknown, what: string) => {
    const failure = toFailure(error, what);
    if (failure.detail.code === 'internal') notices.failed(what, error);
    return failure;
  };

  /** Runs one act and streams what it reports, then its result. */
  const run = async <A extends AuditedAct>(
    stream: EventStream,
    what: string,
    needed: Role,
    read: () => A | Promise<A>,
    verb: (act: A, report: Report) => Promise<ActResult>,
  ): Promise<void> => {
    const startMs = clock.nowMs();
    stream.on('error', () => undefined);
    const send = (event: proxyctl.v1.Event.$Properties) => {
      if (!stream.cancelled) stream.write(event);
    };
    let name: string | null;
    try {
      name = may(stream, needed, what);
    } catch (error) {
      stream.emit('error', failureToStatus(toFailure(error, what)));
      return;
    }
    let requestId = '';
    let result: ActResult;
    let ended: ReturnType<Audit['act']> | null = null;
    try {
      const asked = await read();
      requestId = asked.header.requestId;
      ended = audit.act(callerOf(origin, stream), what, asked);
      const actor = name ?? (asked.header.actor === '' ? 'local' : asked.header.actor);
      const act = { ...asked, header: { ...asked.header, actor } };
      result = await verb(act, (progress) => send({ progress: progressToWire(progress) }));
    } catch (error) {
      const { outcome, detail } = explain(error, what);
      // What was not understood, or not whole, was never begun.
      if (ended === null) audit.refused({ ...callerOf(origin, stream), what, ...detail });
      const tookMs = clock.nowMs() - startMs;
      const nothing = { nodes: [], addresses: [], servers: [], certificates: [] };
      const { node } = context;
      const changed = outcome === 'partial' || outcome === 'result-unknown';
      result = { outcome, changed, requestId, node, tookMs, error: detail, ...nothing };
    }
    ended?.(result);
    send({ result: resultToWire(result, clock.wallMs()) });
    stream.end();
  };

  /** A handler that changes something: one request, then progress and the result. */
  const acts =
    <Q, A extends AuditedAct>(
      what: string,
      needed: Role,
      read: (request: Q) => A,
      verb: (act: A, report: Report) => Promise<ActResult>,
    ) =>
    (call: ServerWritableStream<Q, proxyctl.v1.Event.$Properties>): void =>
      void run(call, what, needed, () => read(call.request), verb);

  return {
    status: looks('status', async () => {
      const at = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
      return statusToWire(await verbs.status(), at);
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
        serversAnswerToWire(
          await verbs.servers(orNull(short('backend', call.request.backend, LENGTHS.name))),
          clock.wallMs(),
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
    audit: (call: ServerWritableStream<proxyctl.v1.AuditRequest, AuditPiece>) =>
      void lists(
        call,
        'audit',
        async () => auditAnswerToWire(await verbs.audit(auditAskFromWire(call.request))),
        () => 'operator',
        // Who follows it would be all that it shows.
        false,
      ),
    certificates: looks('certificates', async ({ served }: proxyctl.v1.CertificatesRequest) =>
      certificatesToWire(await verbs.certificates(served), clock.wallMs()),
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

type AuditPiece = proxyctl.v1.AuditReply.$Properties;
type ShowPiece = proxyctl.v1.ShowCommandReply.$Properties;
type ServersPage = proxyctl.v1.ServersReply.$Properties;
type Upload = Parameters<typeof readUpload>[0] & EventStream;

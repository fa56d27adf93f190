import type { ServerWritableStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { ActHeader, Role } from '../core/acts.ts';
import type { ActResult } from '../core/results.ts';
import type { ControlVerbs, Report } from '../core/verbs.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import type { Clock } from '../sys/clock.ts';
import { operatorOf } from './access.ts';
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
import { doctorToWire } from '../wire/doctor.ts';
import { showCommand, showName } from '../core/show-commands.ts';
import { explainToWire } from '../wire/explain.ts';
import { historyToWire } from '../wire/history.ts';
import { failureToStatus, toFailure } from './failures.ts';
import { readUpload } from './upload.ts';
import { progressToWire, resultToWire } from '../wire/results.ts';
import { serversAnswerToWire } from '../wire/servers.ts';
import { showAnswerToWire } from '../wire/show.ts';
import { statusToWire } from '../wire/status.ts';
import { COUNTS, LENGTHS, listed, named, short } from '../wire/bounds.ts';
import { orNull } from '../wire/fields.ts';
import { certificatesToWire } from '../wire/swaps.ts';

/** What a listener does with what the handlers cannot answer for. */
export interface Notices {
  /** A caller was turned away; `who` is an address or 'unix socket'. */
  readonly refused: (who: string, method: string, reason: string) => void;
  /** A verb failed in a way it should not: for the log, with its stack. */
  readonly failed: (method: string, error: unknown) => void;
}

interface Context {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
}

type EventStream = Pick<
  ServerWritableStream<unknown, proxyctl.v1.Event.$Properties>,
  'write' | 'end' | 'on' | 'emit' | 'cancelled'
> &
  Calling;
type Act = { readonly header: ActHeader };

/** Handlers of the Control service for one listener: they only translate. */
export function controlHandlers(
  verbs: ControlVerbs,
  context: Context,
): UntypedServiceImplementation {
  const { origin, clock, notices } = context;
  const may = (call: Calling, needed: Role, what: string) => {
    try {
      return operatorOf(origin, call, needed, what);
    } catch (error) {
      notices.refused(callerAddress(call), what, toFailure(error, what).message);
      throw error;
    }
  };

  /** A handler that only looks: one question, one answer, for every role. */
  const looks =
    <Q, R>(what: string, read: (request: Q) => Promise<R>): handleUnaryCall<Q, R> =>
    (call, reply) => {
      const answer = async () => {
        may(call, 'viewer', what);
        return read(call.request);
      };
      answer().then(
        (value) => reply(null, value),
        (error: unknown) => reply(failureToStatus(explain(error, what))),
      );
    };

  /** A handler that only looks and answers in pieces, for every role or from `needed` on. */
  const lists = async <P>(
    stream: Pick<ServerWritableStream<unknown, P>, 'write' | 'end' | 'on' | 'emit' | 'cancelled'> &
      Calling,
    what: string,
    read: () => Promise<Iterable<P>>,
    needed: () => Role = () => 'viewer',
  ): Promise<void> => {
    stream.on('error', () => undefined);
    try {
      may(stream, 'viewer', what);
      const role = needed();
      if (role !== 'viewer') may(stream, role, what);
      for (const piece of await read()) {
        if (stream.cancelled) return;
        stream.write(piece);
        // Heartbeats come first.
        await new Promise<void>((resolve) => void setImmediate(resolve));
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
  const run = async <A extends Act>(
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
    try {
      const asked = await read();
      requestId = asked.header.requestId;
      const actor = name ?? (asked.header.actor === '' ? 'local' : asked.header.actor);
      const act = { ...asked, header: { ...asked.header, actor } };
      result = await verb(act, (progress) => send({ progress: progressToWire(progress) }));
    } catch (error) {
      const { outcome, detail } = explain(error, what);
      const tookMs = clock.nowMs() - startMs;
      const nothing = { nodes: [], addresses: [], servers: [], certificates: [] };
      const { node } = context;
      const changed = outcome === 'partial' || outcome === 'result-unknown';
      result = { outcome, changed, requestId, node, tookMs, error: detail, ...nothing };
    }
    send({ result: resultToWire(result, clock.wallMs()) });
    stream.end();
  };

  /** A handler that changes something: one request, then progress and the result. */
  const acts =
    <Q, A extends Act>(
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

type ShowPiece = proxyctl.v1.ShowCommandReply.$Properties;
type ServersPage = proxyctl.v1.ServersReply.$Properties;
type Upload = Parameters<typeof readUpload>[0] & EventStream;

/** Where a call came from, for the log. */
export const callerAddress = (call: Calling): string =>
  call.getPeer() === 'unknown' ? 'unix socket' : call.getPeer();

import type { ServerWritableStream, handleUnaryCall } from '@grpc/grpc-js';
import type { Role } from '../core/acts.ts';
import type { Audit, AuditedAct } from '../core/audit/audit.ts';
import type { ActResult } from '../core/results.ts';
import type { Report } from '../core/verbs.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import type { Clock } from '../sys/clock.ts';
import { othersTurn } from '../sys/turn.ts';
import { progressToWire, resultToWire } from '../wire/results.ts';
import { callerOf, operatorOf } from './access.ts';
import type { Calling, Origin } from './access.ts';
import { failureToStatus, toFailure } from './failures.ts';
import { InPieces } from './in-pieces.ts';
import type { Notices } from './notices.ts';
import { turnedAway } from './turned-away.ts';

/** What the Control service needs of its listener. */
export interface ControlContext {
  readonly node: string;
  readonly origin: Origin;
  readonly clock: Clock;
  readonly notices: Notices;
  readonly audit: Audit;
}

/** A call that is answered with progress and a result. */
export type EventStream = Answering<proxyctl.v1.Event.$Properties>;

type Answering<P> = Pick<
  ServerWritableStream<unknown, P>,
  'write' | 'end' | 'on' | 'emit' | 'cancelled'
> &
  Calling;

/**
 * The kinds of calls of the Control service: who may, what is on record, and how an answer or a
 * failure reaches the caller. control-service.ts has the calls themselves.
 */
export function controlCalls(context: ControlContext) {
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
    <Q, R>(what: string, read: (request: Q) => Promise<R | InPieces<R>>): handleUnaryCall<Q, R> =>
    (call, reply) => {
      const answer = async () => {
        may(call, 'viewer', what);
        const value = await read(call.request);
        if (value instanceof InPieces) return value.whole();
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
  const lists = async <P extends object>(
    stream: Answering<P>,
    what: string,
    read: () => Promise<Iterable<P | InPieces<P>>>,
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
        stream.write(piece instanceof InPieces ? await piece.whole() : piece);
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

  return { looks, lists, run, acts };
}

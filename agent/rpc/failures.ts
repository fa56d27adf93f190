import { Metadata, status as Code } from '@grpc/grpc-js';
import type { ServiceError, StatusObject } from '@grpc/grpc-js';
import { ActFailure } from '../core/acts.ts';
import type { Outcome } from '../core/acts.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { errorFromWire, outcomeFromWire, outcomeToWire } from './results.ts';
import { WireError } from './wire.ts';

/** Trailer that carries a failure whole (a Result with outcome and error), beside gRPC's code and text. */
const TRAILER = 'proxyctl-failure-bin';
const NO_ANSWER: readonly Code[] = [Code.UNAVAILABLE, Code.CANCELLED, Code.DEADLINE_EXCEEDED];
/** HTTP/2 header blocks are limited; what HAProxy or a tool printed need not be repeated in full. */
const LONGEST_TEXT = 2000;

const CODES: Readonly<Record<Outcome, Code>> = {
  reached: Code.UNKNOWN,
  failed: Code.FAILED_PRECONDITION,
  usage: Code.INVALID_ARGUMENT,
  'would-change': Code.UNKNOWN,
  'not-authorised': Code.PERMISSION_DENIED,
  unsafe: Code.FAILED_PRECONDITION,
  partial: Code.ABORTED,
  'result-unknown': Code.UNKNOWN,
  'not-found': Code.NOT_FOUND,
  conflict: Code.ABORTED,
  unreachable: Code.UNAVAILABLE,
  timeout: Code.DEADLINE_EXCEEDED,
};

/**
 * Any error as the failure an operator reads: an ActFailure as it is, a value
 * that was not understood as 'usage', everything else as 'failed' with the first
 * line of what it said. Never a stack. `what` names what was tried.
 */
export function toFailure(error: unknown, what: string): ActFailure {
  if (error instanceof ActFailure) return error;
  if (error instanceof WireError)
    return new ActFailure(
      'usage',
      { code: 'bad_request', message: `${what}: ${error.message}` },
      { cause: error },
    );
  const said = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  const detail = {
    code: 'internal',
    message: `${what}: ${said}`,
    remediation: "the agent's log has the details",
  };
  return new ActFailure('failed', detail, { cause: error });
}

/** A failure as the status of a call. */
export function failureToStatus(failure: ActFailure): Partial<StatusObject> {
  const { code, message, cause, remediation, retryable } = failure.detail;
  const result = proxyctl.v1.Result.encode({
    outcome: outcomeToWire(failure.outcome),
    error: {
      code,
      message: message.slice(0, LONGEST_TEXT),
      cause: cause.slice(0, LONGEST_TEXT),
      remediation: remediation.slice(0, LONGEST_TEXT),
      retryable,
    },
  }).finish();
  const metadata = new Metadata();
  metadata.set(TRAILER, Buffer.from(result));
  return {
    code: code === 'unauthenticated' ? Code.UNAUTHENTICATED : CODES[failure.outcome],
    details: message.slice(0, LONGEST_TEXT).replaceAll(/\s+/g, ' '),
    metadata,
  };
}

/** What a call that failed means: `peer` is whom it went to, `changes` whether it could have changed something there. */
export function failureFromStatus(
  error: Pick<ServiceError, 'code' | 'details' | 'metadata'>,
  call: { readonly peer: string; readonly name: string; readonly changes: boolean },
): ActFailure {
  const carried = carriedFailure(error.metadata);
  if (carried !== null) return carried;
  const tried = `${call.name} on ${call.peer}`;
  const base = { cause: error.details, retryable: true };
  if (error.code === Code.PERMISSION_DENIED || error.code === Code.UNAUTHENTICATED) {
    const message = `${tried}: ${call.peer} refused it`;
    return new ActFailure('not-authorised', {
      ...base,
      code: 'refused',
      message,
      retryable: false,
    });
  }
  if (error.code === Code.UNIMPLEMENTED) {
    const message = `${tried}: ${call.peer} does not know it`;
    const remediation = `upgrade proxyctl on ${call.peer}`;
    return new ActFailure('failed', { ...base, code: 'unsupported', message, remediation });
  }
  if (NO_ANSWER.includes(error.code)) {
    const message = `${tried}: no answer`;
    return call.changes
      ? new ActFailure('result-unknown', { ...base, code: 'no_answer', message })
      : new ActFailure('unreachable', { ...base, code: 'peer_unreachable', message });
  }
  return new ActFailure('failed', { ...base, code: 'peer_failed', message: `${tried}: failed` });
}

/** The failure of a call that was never sent. */
export const notReached = (peer: string, why: string): ActFailure =>
  new ActFailure('unreachable', {
    code: 'peer_unreachable',
    message: `${peer} cannot be reached`,
    cause: why,
    remediation: `see that proxyagent runs on ${peer} and that nothing filters its port`,
    retryable: true,
  });

function carriedFailure(metadata: Metadata | undefined): ActFailure | null {
  const bytes = metadata?.get(TRAILER)[0];
  if (!Buffer.isBuffer(bytes)) return null;
  try {
    const { outcome, error } = proxyctl.v1.Result.decode(bytes);
    const detail = errorFromWire(error);
    return detail === null ? null : new ActFailure(outcomeFromWire(outcome, 'outcome'), detail);
  } catch {
    return null; // of a newer agent: the status of the call says enough
  }
}

import { Metadata, status as Code } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import { ActFailure, type Outcome } from '../core/results.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { outcomeToWire } from '../wire/results.ts';
import { FAILURE_TRAILER } from '../wire/failed-calls.ts';
import { WireError } from '../wire/fields.ts';

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

/** Failures that gRPC has a word of its own for. */
const BY_CODE: Readonly<Record<string, Code>> = {
  unauthenticated: Code.UNAUTHENTICATED,
  too_many: Code.RESOURCE_EXHAUSTED,
  too_long: Code.RESOURCE_EXHAUSTED,
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
  metadata.set(FAILURE_TRAILER, Buffer.from(result));
  return {
    code: BY_CODE[code] ?? CODES[failure.outcome],
    details: message.slice(0, LONGEST_TEXT).replaceAll(/\s+/g, ' '),
    metadata,
  };
}

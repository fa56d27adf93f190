import { ActFailure } from '../core/results.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { errorFromWire, outcomeFromWire } from './results.ts';

/** Trailer that carries a failure whole (a Result with outcome and error), beside gRPC's code and text. */
export const FAILURE_TRAILER = 'proxyctl-failure-bin';

/** The codes of gRPC that are told apart here; proxyctl reads them without loading grpc-js. */
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

/** How a call ended that did not end well. */
export interface FailedCall {
  readonly code: number;
  readonly details: string;
  /** Trailers by name; a `-bin` one is bytes. */
  readonly metadata: { get(name: string): readonly unknown[] } | undefined;
}

/** What a call that failed means: `peer` is whom it went to, `changes` whether it could have changed something there. */
export function failureFromStatus(
  error: FailedCall,
  call: { readonly peer: string; readonly name: string; readonly changes: boolean },
): ActFailure {
  const carried = carriedFailure(error.metadata);
  if (carried !== null) return carried;
  const tried = `${call.name} on ${call.peer}`;
  const base = { cause: error.details, retryable: true };
  if (error.code === PERMISSION_DENIED || error.code === UNAUTHENTICATED) {
    const message = `${tried}: ${call.peer} refused it`;
    return new ActFailure('not-authorised', {
      ...base,
      code: 'refused',
      message,
      retryable: false,
    });
  }
  if (error.code === UNIMPLEMENTED) {
    const message = `${tried}: ${call.peer} does not know it`;
    const remediation = `upgrade proxyctl on ${call.peer}`;
    return new ActFailure('failed', { ...base, code: 'unsupported', message, remediation });
  }
  if ([CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE].includes(error.code)) {
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

function carriedFailure(metadata: FailedCall['metadata']): ActFailure | null {
  const bytes = metadata?.get(FAILURE_TRAILER)[0];
  if (!Buffer.isBuffer(bytes)) return null;
  try {
    const { outcome, error } = proxyctl.v1.Result.decode(bytes);
    const detail = errorFromWire(error);
    return detail === null ? null : new ActFailure(outcomeFromWire(outcome), detail);
  } catch {
    return null; // of a newer agent: the status of the call says enough
  }
}

import type { Socket } from 'node:net';
import { status as Code } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { isNoneLeft, noneLeft } from '../core/descriptors.ts';
import type { Vouched } from './vouched.ts';

/**
 * How a link ended. Of the peer's host we know that it lives after 'refused',
 * 'reset', 'ended', 'tls' and 'rejected' (its agent answered and would not talk to us);
 * 'timeout' is silence, 'unreachable' our own kernel's word. 'exhausted': no descriptor was left
 * here, which says nothing of the peer.
 */
export type LinkHow =
  'refused' | 'reset' | 'ended' | 'timeout' | 'tls' | 'unreachable' | 'rejected' | 'exhausted';

export interface LinkEnd {
  readonly how: LinkHow;
  readonly cause: string;
  /** The peer's kernel accepted the connection; with 'timeout' a sign of a frozen agent. */
  readonly tcpAnswered: boolean;
}

/** What a connection's sockets showed; grpc-js itself tells only UNAVAILABLE. */
export interface SocketTrace {
  tcp: boolean;
  /** Our side of the TLS handshake succeeded. */
  secure: boolean;
  /** What vouches for the other side's certificate, once it was shown. */
  vouched: Vouched | null;
  /** The peer's hello came. */
  greeted: boolean;
  /** The error of the TLS handshake, or of the socket after it. */
  error: Error | null;
  /** The innermost socket there is by now; closing a grpc-js client leaves one whose handshake hangs. */
  socket: Socket | null;
  /** The link was given up: a socket that comes now is not wanted. */
  over: boolean;
}

export const newTrace = (): SocketTrace => ({
  tcp: false,
  secure: false,
  vouched: null,
  greeted: false,
  error: null,
  socket: null,
  over: false,
});

const REJECTED: readonly Code[] = [
  Code.PERMISSION_DENIED,
  Code.UNAUTHENTICATED,
  Code.FAILED_PRECONDITION,
  Code.ABORTED,
  Code.INVALID_ARGUMENT,
  Code.UNIMPLEMENTED,
];
const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL'];

/** What the end of a stream means, from its status and what the sockets showed. */
export function reasonOf(
  address: string,
  error: Pick<ServiceError, 'code' | 'details'>,
  trace: Readonly<SocketTrace>,
): LinkEnd {
  const end = (how: LinkHow, cause: string): LinkEnd => ({
    how,
    cause: `${address}: ${cause}`,
    tcpAnswered: trace.tcp,
  });
  if (REJECTED.includes(error.code)) return end('rejected', error.details);
  // Before TCP stands, errno reaches us only within grpc-js's text.
  const errno = trace.tcp ? codeOf(trace.error) : (/\bE[A-Z]{4,}\b/.exec(error.details)?.[0] ?? '');
  if (errno === 'ECONNREFUSED') return end('refused', 'connection refused');
  if (errno === 'ECONNRESET' || errno === 'EPIPE') return end('reset', 'connection reset');
  if (errno === 'ETIMEDOUT') return end('timeout', 'no answer (ETIMEDOUT)');
  if (isNoneLeft(errno)) return end('exhausted', noneLeft(errno));
  if (UNREACHABLE.includes(errno)) return end('unreachable', errno);
  if (!trace.tcp) return end('unreachable', error.details);
  if (trace.error !== null) return end('tls', trace.error.message);
  // A Node server that does not accept a client's certificate hangs up without an alert.
  if (trace.secure && !trace.greeted)
    return end('tls', 'closed after the handshake: our certificate may not be accepted there');
  return end('ended', 'connection closed');
}

const codeOf = (error: Error | null): string =>
  error !== null && 'code' in error ? String(error.code) : '';

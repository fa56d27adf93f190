import { ActFailure } from '../core/results.ts';
import type { Role } from '../core/acts.ts';
import type { AuditCaller, AuditWho } from '../core/audit/audit.ts';
import { IdentityError, parseIdentity } from '../wire/identity.ts';
import { serialOf } from './crl.ts';

/** Where calls of one listener come from, and what that says about the caller. */
export type Origin =
  | { readonly kind: 'tls'; readonly pair: string; readonly peers: readonly string[] }
  | { readonly kind: 'socket'; readonly role: Role; readonly path: string };

/** The part of a grpc-js call that tells who calls. */
export interface Calling {
  getAuthContext(): {
    readonly sslPeerCertificate?: {
      readonly subjectaltname?: string;
      readonly serialNumber?: string;
    };
  };
  getPeer(): string;
}

const OPERATORS = 'proxyctl pki issue operator NAME';

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

/**
 * The name of the operator behind a call, who has at least the role `needed`; over a
 * unix socket it is null, for the kernel does not tell Node who connected.
 * Throws ActFailure 'not-authorised'.
 */
export function operatorOf(
  origin: Origin,
  call: Calling,
  needed: Role,
  what: string,
): string | null {
  const caller = origin.kind === 'socket' ? { name: null, role: origin.role } : named(origin, call);
  if (RANK[caller.role] >= RANK[needed]) return caller.name;
  throw new ActFailure('not-authorised', {
    code: 'role_too_low',
    message: `${what} needs the role ${needed}; ${caller.name ?? 'this socket'} has ${caller.role}`,
    remediation:
      origin.kind === 'tls'
        ? `${OPERATORS} --role ${needed}, by who keeps the CA`
        : `as root admin.sock beside it has every role; or role = "${needed}" in [socket] of agent.toml`,
  });
}

/** Whether a call is of somebody with at least this role, where that only decides how much is told. */
export function hasRole(origin: Origin, call: Calling, needed: Role): boolean {
  const { role } = origin.kind === 'socket' ? origin : named(origin, call);
  return RANK[role] >= RANK[needed];
}

/** Whoever may look: an operator of any role, or a configured peer. Throws ActFailure 'not-authorised'. */
export function partyOf(origin: Origin, call: Calling): void {
  if (origin.kind === 'socket') return;
  if (authenticated(origin, call).kind === 'node') peerOf(origin, call);
}

/** The configured peer behind a call; throws ActFailure 'not-authorised'. */
export function peerOf(origin: Origin, call: Calling): string {
  if (origin.kind === 'socket')
    throw denied('agents speak to each other over mutual TLS only', 'ask port 7660');
  const identity = authenticated(origin, call);
  if (identity.kind !== 'node')
    throw denied(
      `${identity.name} is an operator, not an agent`,
      'agents need a certificate of their own: proxyctl pki issue node NAME',
    );
  if (!origin.peers.includes(identity.node))
    throw denied(
      `${identity.node} is not configured as a peer here`,
      `[[peer]] with node = "${identity.node}" in agent.toml, where it is one`,
    );
  return identity.node;
}

/** Where a call came from, for the log. */
export const callerAddress = (call: Calling): string =>
  call.getPeer() === 'unknown' ? 'unix socket' : call.getPeer();

/** Who calls, for the record: whatever they may do, and also where they may do nothing. Never throws. */
export const callerOf = (origin: Origin, call: Calling): AuditCaller => ({
  who: whoCalls(origin, call),
  from: callerAddress(call),
});

function whoCalls(origin: Origin, call: Calling): AuditWho {
  if (origin.kind === 'socket')
    return { how: 'socket', socket: origin.path, role: origin.role, uid: null, pid: null };
  const shown = call.getAuthContext().sslPeerCertificate;
  const serial = shown?.serialNumber === undefined ? null : serialOf(shown.serialNumber);
  try {
    const identity = parseIdentity(shown?.subjectaltname, origin.pair);
    return identity.kind === 'node'
      ? { how: 'certificate', name: identity.node, role: 'node', serial }
      : { how: 'certificate', name: identity.name, role: identity.role, serial };
  } catch {
    return { how: 'certificate', name: null, role: null, serial };
  }
}

function named(origin: Origin & { readonly kind: 'tls' }, call: Calling) {
  const identity = authenticated(origin, call);
  if (identity.kind === 'operator') return { name: identity.name, role: identity.role };
  throw denied(
    `the certificate of node ${identity.node} is for agents, not for operators`,
    `without a certificate over the socket on that host, or with your own: ${OPERATORS} --role ROLE`,
  );
}

function authenticated(origin: Origin & { readonly kind: 'tls' }, call: Calling) {
  try {
    return parseIdentity(call.getAuthContext().sslPeerCertificate?.subjectaltname, origin.pair);
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const remediation = `use a certificate of pair ${origin.pair}: ${OPERATORS} --role ROLE`;
    const detail = { code: 'unauthenticated', message: error.message, remediation };
    throw new ActFailure('not-authorised', detail, { cause: error });
  }
}

const denied = (message: string, remediation: string) =>
  new ActFailure('not-authorised', { code: 'permission_denied', message, remediation });

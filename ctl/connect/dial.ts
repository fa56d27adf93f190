import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { sentence } from '../../agent/core/words.ts';
import { splitAddress } from '../../agent/wire/address.ts';
import { pairIn, parseIdentity } from '../../agent/wire/identity.ts';
import { readKey } from './passphrase.ts';
import type { Target } from './contexts.ts';
import { HangUp, openChannel, type Channel } from './grpc.ts';

/**
 * A channel to one agent within `timeoutMs`. Over TCP it must hold the
 * certificate of the node the context names. Rejects with a sentence that says
 * which side turned the other away.
 */
export async function dial(target: Target, timeoutMs: number): Promise<Channel> {
  if (target.kind === 'socket') {
    try {
      return await openChannel(connectTcp(target.path), 'agent', timeoutMs);
    } catch (error) {
      throw new Error(socketTrouble(error, target.path), { cause: error });
    }
  }
  const { socket, stranger, shook } = secure(target, await readKey(target.key));
  try {
    return await openChannel(socket, target.node, timeoutMs);
  } catch (error) {
    throw new Error(stranger() ?? tlsTrouble(error, target, shook()), { cause: error });
  }
}

type TlsTarget = Target & { readonly kind: 'tls' };

function secure(
  { node, address, ca, cert }: TlsTarget,
  key: string,
): {
  readonly socket: Socket;
  /** Who answered in place of the node; null: nobody else. */
  readonly stranger: () => string | null;
  /** The handshake was complete on this side. */
  readonly shook: () => boolean;
} {
  const files = { ca: readFileSync(ca), cert: readFileSync(cert), key };
  const pair = pairIn(new X509Certificate(files.cert).subjectAltName);
  if (pair === null) throw new Error(`${cert} carries no proxyctl:// name`);
  let stranger: string | null = null;
  const socket = connectTls({
    ...files,
    ...splitAddress(address),
    servername: '',
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.3',
    checkServerIdentity(_host, certificate) {
      try {
        const identity = parseIdentity(certificate.subjectaltname, pair);
        if (identity.kind === 'node' && identity.node === node) return undefined;
        const who = identity.kind === 'node' ? identity.node : identity.name;
        throw new Error(`${who} answered instead of ${node}`);
      } catch (error) {
        stranger = sentence(error);
        return error instanceof Error ? error : new Error(stranger);
      }
    },
  });
  let shook = false;
  socket.once('secureConnect', () => (shook = true));
  return { socket, stranger: () => stranger, shook: () => shook };
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

function socketTrouble(error: unknown, path: string): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return `there is no socket ${path}`;
  if (code === 'ECONNREFUSED') return `nobody listens on ${path}`;
  if (code === 'EACCES' || code === 'EPERM') return `you may not use ${path}`;
  return `${path}: ${sentence(error)}`;
}

/** What OpenSSL calls the ways in which two sides do not trust each other. */
function tlsTrouble(error: unknown, { address, ca, cert }: TlsTarget, shook: boolean): string {
  const code = codeOf(error);
  if (code === 'ECONNREFUSED') return `nobody listens on ${address}`;
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/.test(code)) return `no way to ${address} (${code})`;
  if (/^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_SIGNATURE)/.test(code))
    return `the certificate of ${address} is not from the CA in ${ca}`;
  if (code === 'CERT_HAS_EXPIRED') return `the certificate of ${address} has expired`;
  if (code === 'CERT_NOT_YET_VALID') return `the certificate of ${address} is not valid yet`;
  const alert = /_ALERT_([A-Z_]+)$/.exec(code)?.[1];
  if (alert !== undefined)
    return `${address} does not accept ${cert} (${alert.toLowerCase().replaceAll('_', ' ')})`;
  // Node's server looks at our certificate after the handshake, and hangs up without a word.
  if (shook && (error instanceof HangUp || code === 'ECONNRESET'))
    return `${address} hangs up when it has seen ${cert}: not from a CA it trusts, expired, or revoked`;
  return `${address}: ${sentence(error)}`;
}

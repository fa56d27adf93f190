import { isIP } from 'node:net';
import { connect, createSecureContext } from 'node:tls';

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** SNI; null or an address: none is sent. */
  readonly servername: string | null;
  readonly timeoutMs: number;
  /** "RSA" or "EC": only a certificate with such a key is taken; absent: any. */
  readonly keyType?: string;
}

/** Signatures that the server may make, which is how it chooses among its keys (RFC 8446, 4.2.3). */
const SIGNATURES: Readonly<Record<string, string>> = {
  RSA: 'RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512',
  EC: 'ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512',
};

/** One for all: making one costs a third of a handshake. Nothing is verified, so it has no CA. */
const context = createSecureContext({ ca: [] });

/** A listener that did not show a certificate. */
class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
}

/**
 * SHA-1 (lower case hex) of the leaf that a new TLS connection gets. Nothing is verified but
 * that: a certificate of any age and issuer answers the question what is served.
 */
export function servedFingerprint(target: HandshakeTarget): Promise<string> {
  const { host, port, servername, timeoutMs, keyType = '' } = target;
  const only = SIGNATURES[keyType];
  const secureContext =
    only === undefined ? context : createSecureContext({ ca: [], sigalgs: only });
  const sni = servername === null || isIP(servername) !== 0 ? {} : { servername };
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new HandshakeError(`TLS connect to ${host} port ${port}: ${why}`, { cause }));
    };
    const socket = connect({ host, port, ...sni, secureContext, rejectUnauthorized: false }, () => {
      const leaf = socket.getPeerX509Certificate();
      if (leaf === undefined) return fail('no certificate was shown');
      clearTimeout(timer);
      socket.destroy();
      return resolve(leaf.fingerprint.replaceAll(':', '').toLowerCase());
    });
    const timer = setTimeout(() => fail(`no handshake within ${timeoutMs} ms`), timeoutMs);
    socket.on('error', (error) => fail(error.message, error));
    // A peer that closes politely before its certificate ends the wait at once.
    socket.on('close', () => fail('closed before the handshake was done'));
  });
}

import { isIP } from 'node:net';
import { connect, createSecureContext } from 'node:tls';

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** SNI; null or an address: none is sent. */
  readonly servername: string | null;
  readonly timeoutMs: number;
}

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
  const { host, port, servername, timeoutMs } = target;
  const sni = servername === null || isIP(servername) !== 0 ? {} : { servername };
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new HandshakeError(`TLS connect to ${host} port ${port}: ${why}`, { cause }));
    };
    const socket = connect(
      { host, port, ...sni, secureContext: context, rejectUnauthorized: false },
      () => {
        const leaf = socket.getPeerX509Certificate();
        if (leaf === undefined) return fail('no certificate was shown');
        clearTimeout(timer);
        socket.destroy();
        return resolve(leaf.fingerprint.replaceAll(':', '').toLowerCase());
      },
    );
    const timer = setTimeout(() => fail(`no handshake within ${timeoutMs} ms`), timeoutMs);
    socket.on('error', (error) => fail(error.message, error));
    // A peer that closes politely before its certificate ends the wait at once.
    socket.on('close', () => fail('closed before the handshake was done'));
  });
}

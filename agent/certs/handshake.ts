import { connect as connectTo, isIP, type Socket } from 'node:net';
import { connect, createSecureContext } from 'node:tls';

export interface HandshakeTarget {
  readonly host: string;
  readonly port: number;
  /** Path of a unix socket instead; absent or null: host and port. */
  readonly unix?: string | null;
  /** A PROXY header goes first. */
  readonly proxy?: boolean;
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

/**
 * It is this host itself that asks: the address of the connection counts (PROXY protocol 1,
 * haproxy/doc/proxy-protocol.txt 2.1); HAProxy takes it wherever it takes version 2.
 */
const PROXY_HEADER = 'PROXY UNKNOWN\r\n';

/** A listener that did not show a certificate. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  /** What happened, without where. */
  readonly why: string;
  /** TLS answered: another server name may be answered otherwise. */
  readonly alert: boolean;

  constructor(where: string, why: string, alert: boolean, options?: ErrorOptions) {
    super(`TLS connect to ${where}: ${why}`, options);
    this.why = why;
    this.alert = alert;
  }
}

/** OpenSSL's own words where it has some ("sslv3 alert handshake failure"), in one line. */
const whyOf = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string'
    ? error.reason
    : (error.message.split('\n')[0] ?? '');

/**
 * SHA-1 (lower case hex) of the leaf that a new TLS connection gets. Nothing is verified but
 * that: a certificate of any age and issuer answers the question what is served.
 */
export function servedFingerprint(target: HandshakeTarget): Promise<string> {
  const { host, port, unix = null, proxy = false, servername, timeoutMs, keyType = '' } = target;
  const only = SIGNATURES[keyType];
  const secureContext =
    only === undefined ? context : createSecureContext({ ca: [], sigalgs: only });
  const sni = servername === null || isIP(servername) !== 0 ? {} : { servername };
  const where = unix ?? `${host} port ${port}`;
  return new Promise((resolve, reject) => {
    const plain: Socket = unix === null ? connectTo({ host, port }) : connectTo({ path: unix });
    const fail = (why: string, alert: boolean, cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      plain.destroy();
      reject(new HandshakeError(where, why, alert, { cause }));
    };
    if (proxy) plain.write(PROXY_HEADER);
    const socket = connect(
      { socket: plain, ...sni, secureContext, rejectUnauthorized: false },
      () => {
        const leaf = socket.getPeerX509Certificate();
        if (leaf === undefined) return fail('no certificate was shown', false);
        clearTimeout(timer);
        socket.destroy();
        plain.destroy();
        return resolve(leaf.fingerprint.replaceAll(':', '').toLowerCase());
      },
    );
    const timer = setTimeout(() => fail(`no handshake within ${timeoutMs} ms`, false), timeoutMs);
    const failed = (error: Error): void => fail(whyOf(error), /alert/i.test(error.message), error);
    plain.on('error', failed);
    socket.on('error', failed);
    // A peer that closes politely before its certificate ends the wait at once.
    socket.on('close', () => fail('closed before the handshake was done', false));
  });
}

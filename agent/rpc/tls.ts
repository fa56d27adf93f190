import { createSecureContext } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '../sys/clock.ts';
import { IdentityError, describeIdentity, parseIdentity } from '../wire/identity.ts';
import { readTls } from './tls-files.ts';
import type { SocketTrace } from './link-end.ts';
import type { TlsPair, TlsPaths } from './tls-files.ts';

/** This node's side of mutual TLS 1.3, for its listeners and for its links. */
export interface Tls {
  /** For listeners; follows reload() without a rebind. */
  readonly server: ServerCredentials;
  /** For one connection to `peer`: the other side must hold that node's certificate of this pair. What the sockets show is noted in `trace`. */
  channel(peer: string, trace: SocketTrace): ChannelCredentials;
  /** When this node's certificate in use ends, Unix ms. */
  notAfterWallMs(): number;
  /** Reads the files again for all handshakes from now on; throws TlsError and keeps the good pair. */
  reload(): void;
}

/** Reads this node's files; throws TlsError. `clock` tells whether they are in force. */
export function createTls(paths: TlsPaths, pair: string, node: string, clock: Clock): Tls {
  let current = readTls(paths, pair, node, clock.wallMs());
  const server = new ReloadingCredentials(current);
  return {
    server,
    channel: (peer, trace) => {
      const context = createSecureContext(contextOf(current));
      const checkServerIdentity = (_host: string, certificate: PeerCertificate) =>
        mismatch(certificate, pair, peer);
      const inner = ChannelCredentials.createFromSecureContext(context, { checkServerIdentity });
      return new TracedCredentials(inner, trace);
    },
    notAfterWallMs: () => current.notAfterWallMs,
    reload() {
      current = readTls(paths, pair, node, clock.wallMs());
      server.replace(current);
    },
  };
}

const contextOf = ({ ca, cert, key }: TlsPair) =>
  ({ ca, cert, key, minVersion: 'TLSv1.3' }) as const;

function mismatch(certificate: PeerCertificate, pair: string, peer: string): Error | undefined {
  try {
    const identity = parseIdentity(certificate.subjectaltname, pair);
    if (identity.kind === 'node' && identity.node === peer) return undefined;
    return new IdentityError(`${describeIdentity(identity)} answered instead of node ${peer}`);
  } catch (error) {
    return error instanceof Error ? error : new IdentityError(String(error));
  }
}

/**
 * grpc-js's own credentials can neither demand TLS 1.3 nor be changed while they
 * listen; its base class can do both. grpc-js hands every new context to
 * setSecureContext() of its listeners.
 */
class ReloadingCredentials extends ServerCredentials {
  constructor(pair: TlsPair) {
    super({ requestCert: true, rejectUnauthorized: true }, contextOf(pair));
  }

  replace(pair: TlsPair): void {
    this.updateSecureContextOptions(contextOf(pair));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

/**
 * Credentials that note what grpc-js hides behind UNAVAILABLE: whether TCP was
 * accepted, why the handshake failed, and how the socket ended afterwards (a
 * TLS 1.3 server refuses a client's certificate only after the handshake).
 */
class TracedCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #trace: SocketTrace;

  constructor(inner: ChannelCredentials, trace: SocketTrace) {
    super();
    this.#inner = inner;
    this.#trace = trace;
  }

  override compose(): ChannelCredentials {
    return this;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(
    ...args: Parameters<ChannelCredentials['_createSecureConnector']>
  ): ReturnType<ChannelCredentials['_createSecureConnector']> {
    const trace = this.#trace;
    // oxlint-disable-next-line no-underscore-dangle -- abstract in grpc-js, there is no other hook
    const inner = this.#inner._createSecureConnector(...args);
    const note = (error: unknown) => {
      trace.error ??= error instanceof Error ? error : new Error(String(error));
    };
    return {
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
      async connect(socket) {
        if (trace.over) throw new Error('the link was given up');
        trace.tcp = true;
        trace.socket = socket;
        socket.on('error', note);
        try {
          const connected = await inner.connect(socket);
          trace.secure = true;
          trace.socket = connected.socket;
          connected.socket.on('error', note);
          return connected;
        } catch (error) {
          note(error);
          throw error;
        }
      },
    };
  }
}

import { createSecureContext } from 'node:tls';
import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Clock } from '../sys/clock.ts';
import { IdentityError, describeIdentity, parseIdentity } from '../wire/identity.ts';
import { keyId, type Crl } from './crl.ts';
import { sessions, type Sessions } from './sessions.ts';
import { readTls } from './tls-files.ts';
import type { SocketTrace } from './link-end.ts';
import type { TlsPair, TlsPaths } from './tls-files.ts';
import { objectionTo, shownIn, vouchedBy } from './vouched.ts';
import type { Objection, Trust, Vouched } from './vouched.ts';

/** This node's side of mutual TLS 1.3, for its listeners and for its links. */
export interface Tls {
  /** What a listener's handshakes use now. */
  context(): TlsContext;
  /** Called after each reload with what to use from then on. */
  onReload(listener: (context: TlsContext) => void): void;
  /** For one connection to `peer`: the other side must hold that node's certificate of this pair. What the sockets show is noted in `trace`. */
  channel(peer: string, trace: SocketTrace): ChannelCredentials;
  /** What vouches for who has shown this, or why it is not good now. */
  judge(shown: DetailedPeerCertificate): Vouched | Objection;
  /** What is open by somebody's certificate; ended as soon as that is not good any more. */
  readonly sessions: Sessions;
  /** Whose revocation lists count now. */
  issuers(): readonly X509Certificate[];
  /** These lists are in force from now on, in place of those before; what they end is ended. */
  revoke(lists: readonly Crl[]): void;
  /** From when until when this node's certificate in use is good, Unix ms, and what stands against it now. */
  own(): {
    readonly notBeforeWallMs: number;
    readonly notAfterWallMs: number;
    readonly objection: Objection | null;
  };
  /**
   * Reads the files again for all handshakes from now on, and ends what only a CA vouched for
   * that is gone from them; throws TlsError and keeps the good pair.
   */
  reload(): void;
}

/** What node:tls takes of the three files. */
export interface TlsContext {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.3';
}

/** Reads this node's files; throws TlsError. `clock` tells whether they are in force. */
export function createTls(paths: TlsPaths, pair: string, node: string, clock: Clock): Tls {
  let current = readTls(paths, pair, node, clock.wallMs());
  let trust: Trust = { roots: rootsOf(current), revoked: new Map() };
  const listeners: ((context: TlsContext) => void)[] = [];
  const open = sessions(clock, () => trust);

  const judge = (shown: DetailedPeerCertificate): Vouched | Objection => {
    const vouched = vouchedBy(shownIn(shown), current.roots);
    if (vouched === null) return { why: 'ca', text: 'its CA is not trusted here' };
    return objectionTo(vouched, trust, clock.wallMs()) ?? vouched;
  };
  return {
    context: () => contextOf(current),
    onReload: (listener) => void listeners.push(listener),
    channel: (peer, trace) => {
      const context = createSecureContext(contextOf(current));
      const checkServerIdentity = (_host: string, certificate: PeerCertificate) => {
        const wrong = mismatch(certificate, pair, peer);
        if (wrong !== undefined) return wrong;
        // Node hands over the chain as well: the type is of older releases.
        const judged = judge(certificate as DetailedPeerCertificate);
        if ('why' in judged) return new IdentityError(`${peer}: ${judged.text}`);
        trace.vouched = judged;
        return undefined;
      };
      const inner = ChannelCredentials.createFromSecureContext(context, { checkServerIdentity });
      return new TracedCredentials(inner, trace);
    },
    judge,
    sessions: open,
    issuers: () => current.issuers,
    revoke(lists) {
      trust = { ...trust, revoked: new Map(lists.map(({ issuer, serials }) => [issuer, serials])) };
      open.look();
    },
    own() {
      const { chain, roots, notBeforeWallMs, notAfterWallMs } = current;
      const vouched = vouchedBy(chain, roots);
      const objection = vouched === null ? null : objectionTo(vouched, trust, clock.wallMs());
      return { notBeforeWallMs, notAfterWallMs, objection };
    },
    reload() {
      current = readTls(paths, pair, node, clock.wallMs());
      trust = { ...trust, roots: rootsOf(current) };
      for (const listener of listeners) listener(contextOf(current));
      open.look();
    },
  };
}

const contextOf = ({ ca, cert, key }: TlsPair): TlsContext => ({
  ca,
  cert,
  key,
  minVersion: 'TLSv1.3',
});

/** By key: a CA whose certificate was renewed is the same, and ends with the last of them. */
function rootsOf({ roots }: TlsPair): Map<string, number> {
  const ends = new Map<string, number>();
  for (const { publicKey, validTo } of roots) {
    const id = keyId(publicKey);
    ends.set(id, Math.max(ends.get(id) ?? 0, Date.parse(validTo)));
  }
  return ends;
}

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

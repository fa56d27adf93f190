import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { IdentityError, describeIdentity, parseIdentity } from '../wire/identity.ts';
import type { Seat } from './doors.ts';
import type { Party } from './shares.ts';
import type { Tls, TlsContext } from './tls.ts';

/**
 * The handshake of everybody who comes over TCP. `admitted` gets a connection once its certificate
 * is good and there is room for whose it is, and the connection is ended as soon as it is not;
 * `refused` hears of one that is vouched for and still not good, from `address`. The handshake is
 * ours and not grpc-js's: its credentials can neither be told apart from one another nor watched.
 */
export function tlsDoor(options: {
  readonly tls: Tls;
  readonly pair: string;
  /** The configured peers. */
  readonly peers: readonly string[];
  readonly admitted: (socket: TLSSocket, seat: Seat) => void;
  readonly refused: (address: string, reason: string) => void;
}): { readonly accept: (socket: Socket, seat: Seat) => void } {
  const { tls, admitted, refused } = options;
  const server = createServer({
    ...contextOf(tls.context()),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  /** Node does not say which connection a handshake was on; its two ends do. */
  const seats = new Map<string, Seat>();
  tls.onReload((context) => server.setSecureContext(contextOf(context)));
  server.on('tlsClientError', (error, socket) =>
    seats.get(endsOf(socket))?.because(causeOf(error)),
  );
  server.on('secureConnection', (socket) => {
    const address = addressOf(socket);
    const turnAway = ({ text }: { readonly text: string }): void => {
      refused(address, text);
      // Not from within the handshake's callback: OpenSSL still reads there.
      setImmediate(() => socket.destroy());
    };
    socket.on('error', () => undefined);
    const seat = seats.get(endsOf(socket));
    const shown = socket.getPeerCertificate(true);
    const judged = tls.judge(shown);
    if ('why' in judged) {
      // It has been said by name: it is no stranger.
      seat?.because('');
      return turnAway(judged);
    }
    if (seat?.admit(partyOf(shown.subjectaltname, options)) !== true) return;
    const unwatch = tls.sessions.watch(judged, turnAway);
    socket.on('close', unwatch);
    admitted(socket, seat);
  });
  return {
    accept(socket, seat) {
      const ends = endsOf(socket);
      seats.set(ends, seat);
      socket.on('close', () => {
        if (seats.get(ends) === seat) seats.delete(ends);
      });
      server.emit('connection', socket);
    },
  };
}

/** Whose share a certificate of this CA takes from; null: it names nobody known here. */
function partyOf(
  subjectAltName: string | undefined,
  { pair, peers }: { readonly pair: string; readonly peers: readonly string[] },
): Party | null {
  try {
    const identity = parseIdentity(subjectAltName, pair);
    const name = describeIdentity(identity);
    if (identity.kind === 'operator') return { kind: 'operator', name };
    return peers.includes(identity.node) ? { kind: 'peer', name } : null;
  } catch (error) {
    if (error instanceof IdentityError) return null;
    throw error;
  }
}

/**
 * Without tickets: a session that is resumed shows no certificate again, so an expired one would
 * live on in tickets. TLS 1.3 then has tickets that only name a session, and Node keeps none.
 */
const contextOf = (context: TlsContext) => ({
  ...context,
  secureOptions: constants.SSL_OP_NO_TICKET,
});

const addressOf = ({ remoteAddress, remotePort }: Socket): string =>
  remoteAddress === undefined ? 'a connection that is gone' : `${remoteAddress}:${remotePort}`;

const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;

/** Why a handshake failed, in words that are of a bounded number. */
function causeOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNRESET') return 'left before its TLS handshake was over';
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'showed no certificate';
  if (/CERT|ISSUER|SIGNED|VERIFY/.test(code))
    return 'showed a certificate of another CA or no good one';
  return 'failed its TLS handshake';
}

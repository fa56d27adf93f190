import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Tls, TlsContext } from './tls.ts';

/**
 * The handshake of everybody who comes over TCP. `admitted` gets a connection once its certificate
 * is good, and the connection is ended as soon as it is not; `refused` hears of one that is
 * vouched for and still not good, from `address`. The handshake is ours and not grpc-js's: its
 * credentials can neither be told apart from one another nor watched.
 */
export function tlsDoor(
  tls: Tls,
  admitted: (socket: TLSSocket) => void,
  refused: (address: string, reason: string) => void,
): { readonly accept: (socket: Socket) => void } {
  const server = createServer({
    ...options(tls.context()),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
  });
  tls.onReload((context) => server.setSecureContext(options(context)));
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    const address = addressOf(socket);
    const turnAway = ({ text }: { readonly text: string }): void => {
      refused(address, text);
      socket.destroy();
    };
    socket.on('error', () => undefined);
    const judged = tls.judge(socket.getPeerCertificate(true));
    if ('why' in judged) return turnAway(judged);
    const unwatch = tls.sessions.watch(judged, turnAway);
    socket.on('close', unwatch);
    admitted(socket);
  });
  return { accept: (socket) => void server.emit('connection', socket) };
}

/**
 * Without tickets: a session that is resumed shows no certificate again, so an expired one would
 * live on in tickets. TLS 1.3 then has tickets that only name a session, and Node keeps none.
 */
const options = (context: TlsContext) => ({
  ...context,
  secureOptions: constants.SSL_OP_NO_TICKET,
});

const addressOf = ({ remoteAddress, remotePort }: Socket): string =>
  remoteAddress === undefined ? 'a connection that is gone' : `${remoteAddress}:${remotePort}`;

import { constants } from 'node:http2';
import type { Http2Server, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';

/**
 * Tells of each HTTP/2 session of a grpc-js server's injector at its beginning, and lets no stream
 * end the agent: where a client breaks its connection in one breath with a call, the call's stream is
 * gone before it is heard of, and grpc-js throws when it answers. Call after createConnectionInjector().
 */
export function onSessions(server: Server, began: (session: ServerHttp2Session) => void): void {
  // grpc-js gives no other way to the server that it made for the injector.
  for (const one of server['http2Servers'].keys()) {
    const http2 = one as Http2Server;
    http2.on('session', began);
    const handlers = http2.listeners('stream');
    http2.removeAllListeners('stream');
    http2.on('stream', (stream: ServerHttp2Stream, ...rest: unknown[]) => {
      // Its end is told as an error, which nobody else hears if grpc-js does not.
      stream.on('error', () => undefined);
      if (stream.destroyed) return;
      try {
        for (const handle of handlers) Reflect.apply(handle, http2, [stream, ...rest]);
      } catch {
        stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      }
    });
  }
}

/**
 * Lets a connection be read again. After some malformed frames nghttp2 wants to read no more, Node
 * stops, and nobody hears that the client has gone; what else comes is read and thrown away.
 */
export function readOn(socket: Socket): void {
  // Node has no other word for it: the JavaScript side does not know that it was stopped.
  const { _handle: handle } = socket as unknown as {
    readonly _handle?: { readStart?(): number } | null;
  };
  handle?.readStart?.();
}

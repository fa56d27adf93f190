import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, Settings } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { ExecutionContext } from 'ava';
import type { Issued } from './certificates.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** What a client says first. */
export const GREETING = Buffer.concat([PREFACE, SETTINGS]);

/** One HTTP/2 frame. */
export const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
};
/** Frames after which nghttp2 reads no more and tells nobody. */
export const TOO_LONG = Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]);
export const BAD_HEADERS = frame(1, 5, 1, Buffer.from([0xff, 0xff, 0xff, 0xff]));

/** HEADERS of a call of a method, more to come. */
export function headersOf(path: string, stream = 1): Buffer {
  const field = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([0, name.length]),
      Buffer.from(name),
      Buffer.from([value.length]),
      Buffer.from(value),
    ]);
  const fields = [
    field(':method', 'POST'),
    field(':scheme', 'http'),
    field(':path', path),
    field(':authority', 'test'),
    field('content-type', 'application/grpc'),
    field('te', 'trailers'),
  ];
  return frame(1, 4, stream, Buffer.concat(fields));
}

/** A message as gRPC frames it, of which the length may be a lie. */
export const message = (body: Buffer, length = body.length): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
};

/** A TCP connection (from `from`, an address of loopback), or one over a unix socket. */
export async function tcp(t: ExecutionContext, to: string, from?: string): Promise<Socket> {
  const [host = '', port] = to.split(':');
  const socket =
    port === undefined
      ? connect(to)
      : connect({
          host,
          port: Number(port),
          ...(from === undefined ? {} : { localAddress: from }),
        });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** The same with a handshake; resolves once the server has taken the certificate, which it shows with its SETTINGS. */
export async function tls(
  t: ExecutionContext,
  to: string,
  issued: Issued | null,
  from?: string,
): Promise<TLSSocket> {
  const socket = await tcp(t, to, from);
  const secure = connectTls({
    socket,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...(issued === null ? {} : { cert: issued.certPem, key: issued.keyPem }),
  });
  secure.on('error', () => undefined);
  t.teardown(() => secure.destroy());
  await once(secure, 'secureConnect');
  return secure;
}

/** An HTTP/2 session over a connection. */
export function http2(
  t: ExecutionContext,
  over: Socket,
  settings: Settings = {},
): ClientHttp2Session {
  const session = connectHttp2('http://test', { createConnection: () => over, settings });
  session.on('error', () => undefined);
  t.teardown(() => session.destroy());
  return session;
}

/** Opens a stream of a method. */
export function open(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request(
    { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  return stream;
}

/** Whether the other side has closed it; waits until then. */
export const closed = (socket: Socket): Promise<unknown> =>
  socket.destroyed || socket.readableEnded
    ? Promise.resolve()
    : new Promise((resolve) => {
        socket.on('end', resolve);
        socket.on('close', resolve);
        socket.resume();
      });

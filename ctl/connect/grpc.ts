import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { FailedCall } from '../../agent/wire/failed-calls.ts';

// gRPC's wire on node:http2. proxyctl lives for one call, and grpc-js alone costs
// as much to load as everything else together (docs/decisions/0006).

/** A call that ended without gRPC's OK. */
export class CallError extends Error implements FailedCall {
  override readonly name = 'CallError';
  readonly code: number;
  readonly metadata: FailedCall['metadata'];

  constructor(code: number, details: string, trailers: Readonly<Record<string, unknown>> = {}) {
    super(details);
    this.code = code;
    this.metadata = {
      get: (name) => {
        const text = trailers[name];
        return typeof text === 'string' ? [Buffer.from(text, 'base64')] : [];
      },
    };
  }

  get details(): string {
    return this.message;
  }
}

/** The other side closed the connection before it spoke HTTP/2. */
export class HangUp extends Error {
  override readonly name = 'HangUp';

  constructor() {
    super('it hangs up at once');
  }
}

export interface Channel {
  /** Sends the messages and hands over each answer; resolves on OK, rejects with CallError. */
  call(
    path: string,
    messages: readonly Uint8Array[],
    timeoutMs: number,
    onMessage: (bytes: Buffer) => void,
  ): Promise<void>;
  close(): void;
}

const DEADLINE_EXCEEDED = 4;
const INTERNAL = 13;
const UNAVAILABLE = 14;
/** A status with 10,000 drained servers, each with its reason, is 5 MB. */
const LONGEST_MESSAGE = 64 << 20;

/**
 * A channel over a socket that is connected or about to be, once the other side
 * has sent its HTTP/2 settings: over TLS 1.3 only that says it took our
 * certificate. Rejects with the socket's error, or after `timeoutMs`.
 */
export function openChannel(
  socket: Duplex,
  authority: string,
  timeoutMs: number,
): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    let open = false;
    const fail = (error: Error): void => {
      clearTimeout(timer);
      session.destroy();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    // After the opening an error ends the streams too, and they tell of it.
    socket.on('error', (error: Error) => (open ? undefined : fail(error)));
    session.on('error', (error: Error) => (open ? undefined : fail(error)));
    session.on('close', () => (open ? undefined : fail(new HangUp())));
    session.once('remoteSettings', () => {
      open = true;
      clearTimeout(timer);
      resolve({
        call: (...args) => call(session, ...args),
        close: () => session.destroy(),
      });
    });
  });
}

function call(
  session: ClientHttp2Session,
  path: string,
  messages: readonly Uint8Array[],
  timeoutMs: number,
  onMessage: (bytes: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let stream: ClientHttp2Stream;
    try {
      stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': `${Math.min(99_999_999, Math.ceil(timeoutMs))}m`,
      });
    } catch (error) {
      return reject(
        new CallError(UNAVAILABLE, error instanceof Error ? error.message : String(error)),
      );
    }
    const end = (error: CallError | null): void => {
      clearTimeout(timer);
      if (error === null) return resolve();
      reject(error);
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    };
    const timer = setTimeout(
      () => end(new CallError(DEADLINE_EXCEEDED, `no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    let status: Readonly<Record<string, unknown>> = {};
    let lost = 'the connection ended in the middle';
    const read = messageReader(onMessage);
    stream.on('response', (headers) => (status = { ...headers }));
    stream.on('trailers', (trailers) => (status = { ...status, ...trailers }));
    stream.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (error) {
        end(new CallError(INTERNAL, error instanceof Error ? error.message : String(error)));
      }
    });
    stream.on('error', (error: Error) => (lost = error.message));
    stream.on('close', () => {
      const code = status['grpc-status'];
      if (code === '0') end(null);
      else if (typeof code === 'string') {
        const text = status['grpc-message'];
        end(new CallError(Number(code), typeof text === 'string' ? unescaped(text) : '', status));
      } else if (typeof status[':status'] === 'number' && status[':status'] !== 200)
        end(new CallError(UNAVAILABLE, `it answers HTTP ${status[':status']}, not gRPC`));
      else end(new CallError(UNAVAILABLE, lost));
    });
    for (const message of messages) stream.write(framed(message));
    stream.end();
  });
}

/** gRPC's frame: not compressed, then the length. */
function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Puts messages together from what arrives; throws for one that is compressed or too long. */
function messageReader(onMessage: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 5) {
      const size = rest.readUInt32BE(1);
      if (rest[0] !== 0 || size > LONGEST_MESSAGE)
        throw new Error('the answer is no plain message');
      if (rest.length < 5 + size) return;
      onMessage(rest.subarray(5, 5 + size));
      rest = rest.subarray(5 + size);
    }
  };
}

/** grpc-message is percent-encoded. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

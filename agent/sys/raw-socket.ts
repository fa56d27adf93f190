import { createRequire } from 'node:module';

/** The part of the raw-socket package that is used. */
export interface RawSocket {
  on(event: 'message', listener: (buffer: Buffer, source: string) => void): void;
  on(event: 'error' | 'close', listener: (error?: Error) => void): void;
  send(
    buffer: Buffer,
    offset: number,
    length: number,
    address: string,
    after: (error: Error | null) => void,
  ): void;
  setOption(level: number, option: number, value: number): void;
  /** Nothing is read from it any more. */
  pauseRecv(): void;
  close(): void;
}
interface RawModule {
  createSocket(options: {
    readonly protocol: number;
    readonly addressFamily: number;
    readonly bufferSize: number;
  }): RawSocket;
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
}

/** Strong references: a raw socket that nobody holds is collected and closed without a word. */
const held = new Set<RawSocket>();

/**
 * A raw socket of that protocol by the raw-socket package, open until it is closed; its errors are
 * dropped. Throws where the package is not built or raw sockets are not allowed.
 */
export function openRawSocket(protocol: number, family: 4 | 6): RawSocket {
  const raw = createRequire(import.meta.url)('raw-socket') as RawModule;
  const addressFamily = family === 4 ? raw.AddressFamily.IPv4 : raw.AddressFamily.IPv6;
  const socket = raw.createSocket({ protocol, addressFamily, bufferSize: 4096 });
  held.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => void held.delete(socket));
  return socket;
}

import { createServer, type RequestListener, type Server } from 'node:http';
import { hostPort } from './host-port.ts';

/** A whole request, and a connection that says nothing, may take so long, ms. */
const SLOW_MS = 5000;

/**
 * Plain HTTP at HOST:PORT, with bounds for headers, time and `most` connections. Rejects with the
 * system's error where it cannot be listened at.
 */
export async function listen(
  address: string,
  { handle, most }: { readonly handle: RequestListener; readonly most: number },
): Promise<Server> {
  const place = hostPort(address);
  if (place === null) throw new Error('not of the form HOST:PORT or [HOST]:PORT');
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: SLOW_MS,
      requestTimeout: SLOW_MS,
      // Node looks for slow requests only every 30 s otherwise.
      connectionsCheckingInterval: 1000,
    },
    handle,
  );
  server.maxConnections = most;
  server.setTimeout(SLOW_MS, (socket) => socket.destroy());
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...place, ipv6Only: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
  return server;
}

/** It listens no more, and whoever is connected is cut. */
export function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** The port is taken. */
export const isTaken = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken (EADDRINUSE)',
  EADDRNOTAVAIL: 'no interface has this address (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this host does not speak that protocol (EAFNOSUPPORT)',
  EACCES: 'not permitted (EACCES)',
};

/** Why `listen` rejected, in words. */
export function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CAUSES[code] ?? (error instanceof Error ? error.message : String(error));
}

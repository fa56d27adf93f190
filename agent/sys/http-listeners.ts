import { createServer, type RequestListener, type Server } from 'node:http';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';
import { hostPort } from './host-port.ts';

/** Why one address cannot be listened at, in words. */
interface ListenTrouble {
  readonly address: string;
  readonly cause: string;
}

export interface HttpListenersOptions {
  /** HOST:PORT each; an IPv6 one takes IPv6 only. */
  readonly addresses: readonly string[];
  readonly handle: RequestListener;
  readonly clock: Clock;
  /** At most so many connections at once an address; more are closed. */
  readonly most: number;
  /** All of them listen. */
  readonly opened: () => void;
  /** None listens; it is tried again every RETRY_MS. */
  readonly refused: (trouble: ListenTrouble) => void;
}

/** An address that is taken is tried again that often, ms. */
const RETRY_MS = 5000;
/** A whole request, and a connection that says nothing, may take so long, ms. */
const SLOW_MS = 5000;

/**
 * Plain HTTP on all of some addresses or on none, for callers who mean well and for others: headers,
 * time and connections are bounded. What cannot be listened at is told, and tried again.
 */
export function httpListeners(options: HttpListenersOptions): { close(): void } {
  const { addresses, clock } = options;
  let servers: readonly Server[] = [];
  let closed = false;
  let cancel = (): void => undefined;

  async function start(): Promise<void> {
    const listening: Server[] = [];
    let trouble: ListenTrouble | null = null;
    for (const address of addresses) {
      try {
        listening.push(await listen(address, options));
      } catch (error) {
        trouble = { address, cause: causeOf(error) };
        break;
      }
    }
    if (closed || trouble !== null) for (const server of listening) end(server);
    if (closed) return;
    if (trouble === null) {
      servers = listening;
      options.opened();
      return;
    }
    options.refused(trouble);
    cancel = clock.after(RETRY_MS, () => void start());
  }
  if (addresses.length > 0) void start();

  return {
    close() {
      closed = true;
      cancel();
      for (const server of servers) end(server);
    },
  };
}

/** Sends one whole answer that nobody keeps; to HEAD without its body. */
export function sendWhole(
  method: string,
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string,
): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/**
 * Tells of addresses that cannot be listened at as a problem of `subject`, which goes once they can.
 * `lost`: what is not there meanwhile, as the sentence begins that "cannot listen on ..." ends.
 */
export const listenProblem = (
  problems: {
    readonly raise: (subject: string, cause: string, remedy: string) => void;
    readonly clear: (subject: string) => void;
  },
  subject: string,
  lost: string,
): Pick<HttpListenersOptions, 'opened' | 'refused'> => ({
  opened: () => problems.clear(subject),
  refused: ({ address, cause }) =>
    problems.raise(subject, `${lost} cannot listen on ${address}: ${cause}`, listenRemedy(address)),
});

/** What to do where something else has the port. */
export const listenRemedy = (address: string): string =>
  `sockstat -l -p ${hostPort(address)?.port ?? 0} shows the holder; retried every 5 s`;

async function listen(
  address: string,
  { handle, most }: Pick<HttpListenersOptions, 'handle' | 'most'>,
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

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}

const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken (EADDRINUSE)',
  EADDRNOTAVAIL: 'no interface has this address (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this host does not speak that protocol (EAFNOSUPPORT)',
  EACCES: 'not permitted (EACCES)',
};

function causeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CAUSES[code] ?? (error instanceof Error ? error.message : String(error));
}

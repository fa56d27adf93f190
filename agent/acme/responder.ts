import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ActFailure } from '../core/results.ts';
import { isToken } from '../core/certs/challenge.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { hostPort } from '../sys/host-port.ts';
import { ask, PATH } from './ask.ts';

export interface ResponderOptions {
  readonly node: string;
  /** `[acme] responder`; none: it does not run. */
  readonly addresses: readonly string[];
  /** The key authorization of a token; null: 404. */
  readonly answer: Answer;
  readonly clock: Clock;
  readonly problems: Problems;
}

type Answer = (token: string) => Promise<string | null>;

export interface Responder {
  /**
   * Asks every address for the token, or with '' whether it answers at all; the
   * addresses. Throws ActFailure 'failed' with the first that is wrong.
   */
  check(token: string): Promise<readonly string[]>;
  close(): void;
}

const SUBJECT = 'acme';
/** An address that is taken is tried again that often, ms. */
const RETRY_MS = 5000;
/** Far above what HAProxy's checks and a CA's few questions need. */
const MAX_CONNECTIONS = 256;
/** A whole request, and a connection that says nothing, may take so long, ms. */
const SLOW_MS = 5000;

/**
 * Answers ACME http-01 (RFC 8555, 8.3) on all of its addresses or on none: with
 * HAProxy in front, one that is missing would fail every other question of a
 * CA. What cannot be listened at is a problem of the agent and tried again.
 */
export function startResponder(options: ResponderOptions): Responder {
  const { node, addresses, clock, problems } = options;
  let servers: readonly Server[] = [];
  let why = 'it is starting';
  let closed = false;
  let cancel = (): void => undefined;

  async function start(): Promise<void> {
    const opened: Server[] = [];
    let trouble: { readonly address: string; readonly cause: string } | null = null;
    for (const address of addresses) {
      try {
        opened.push(await listen(address, options.answer));
      } catch (error) {
        trouble = { address, cause: causeOf(error) };
        break;
      }
    }
    if (closed || trouble !== null) for (const server of opened) end(server);
    if (closed) return;
    if (trouble === null) {
      servers = opened;
      problems.clear(SUBJECT);
      return;
    }
    why = `it cannot listen on ${trouble.address}: ${trouble.cause}`;
    problems.raise(
      SUBJECT,
      `the ACME responder does not run: ${why.replace(/^it /, '')}`,
      remedyOf(trouble.address),
    );
    cancel = clock.after(RETRY_MS, () => void start());
  }
  if (addresses.length > 0) void start();

  return {
    async check(token) {
      if (addresses.length === 0)
        throw failure(node, 'it is switched off', 'set [acme] responder in agent.toml');
      const [first = ''] = addresses;
      if (servers.length === 0) {
        const at = /listen on (\S+):/.exec(why)?.[1] ?? first;
        throw failure(node, why, `on ${node}: ${remedyOf(at)}`);
      }
      const expected = token === '' ? null : await options.answer(token);
      if (token !== '' && expected === null)
        throw failure(node, 'it does not know the token', 'present it again');
      const asked = addresses.map(async (address) => {
        const place = hostPort(address) ?? { host: '', port: 0 };
        return { address, wrong: await ask(place, token, expected) };
      });
      for (const { address, wrong } of await Promise.all(asked))
        if (wrong !== null)
          throw failure(node, `${address}: ${wrong}`, `on ${node}: ${remedyOf(address)}`);
      return addresses;
    },
    close() {
      closed = true;
      cancel();
      for (const server of servers) end(server);
    },
  };
}

const remedyOf = (address: string): string =>
  `sockstat -l -p ${hostPort(address)?.port ?? 0} shows the holder; retried every 5 s`;

const failure = (node: string, cause: string, remediation: string): ActFailure =>
  new ActFailure('failed', {
    code: 'responder_wrong',
    message: `the ACME responder on ${node} does not answer`,
    cause,
    remediation,
    retryable: true,
  });

async function listen(address: string, answer: Answer): Promise<Server> {
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
    (request, response) => void reply(request, response, answer),
  );
  server.maxConnections = MAX_CONNECTIONS;
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

async function reply(
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  const token = url.startsWith(PATH) ? url.slice(PATH.length) : '';
  const asks = (method === 'GET' || method === 'HEAD') && isToken(token);
  const known = asks ? await answer(token).catch(() => null) : null;
  const body = known ?? 'not found\n';
  response.writeHead(known === null ? 404 : 200, {
    'content-type': known === null ? 'text/plain' : 'application/octet-stream',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(method === 'HEAD' ? undefined : body);
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

import type { OutgoingHttpHeaders, RequestListener, Server, ServerResponse } from 'node:http';
import type { Clock } from './clock.ts';
import { hostPort } from './host-port.ts';
import { causeOf, end, isTaken, listen } from './http-listener.ts';

/** Why one address cannot be listened at, in words. */
interface ListenTrouble {
  readonly address: string;
  readonly cause: string;
  /** Where it is answered all the same: as before a change. */
  readonly still: readonly string[];
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
  /** What listened before goes on, at the start nothing; it is tried again every RETRY_MS. */
  readonly refused: (trouble: ListenTrouble) => void;
}

export interface HttpListeners {
  /**
   * From now on these addresses, all of them or, as long as one cannot be had, those before. What
   * is in both goes on with its connections.
   */
  readonly move: (addresses: readonly string[]) => void;
  readonly close: () => void;
}

/** An address that is taken is tried again that often, ms. */
const RETRY_MS = 5000;

/**
 * Plain HTTP on all of some addresses or on none, for callers who mean well and for others: headers,
 * time and connections are bounded. What cannot be listened at is told, and tried again.
 */
export function httpListeners(options: HttpListenersOptions): HttpListeners {
  const { clock } = options;
  let wanted = options.addresses;
  let listening: ReadonlyMap<string, Server> = new Map();
  let closed = false;
  let busy = false;
  let cancel = (): void => undefined;

  /** One step to what is wanted: all of it, or back to what was. */
  async function step(addresses: readonly string[]): Promise<ListenTrouble | null> {
    const before = listening;
    const leaving = [...before].filter(([address]) => !addresses.includes(address));
    // Not every system gives a port to one host more while it has it on another.
    const inTheWay = leaving.filter(([address]) => addresses.some((one) => samePort(one, address)));
    const after = new Map<string, Server>();
    const open = (address: string): Promise<Server> =>
      listen(address, options).catch((error: unknown) => {
        if (!isTaken(error) || inTheWay.every(([, server]) => !server.listening)) throw error;
        for (const [, server] of inTheWay) end(server);
        return listen(address, options);
      });
    let trouble: Omit<ListenTrouble, 'still'> | null = null;
    for (const address of addresses) {
      try {
        after.set(address, before.get(address) ?? (await open(address)));
      } catch (error) {
        trouble = { address, cause: causeOf(error) };
        break;
      }
    }
    if (trouble === null) {
      for (const [, server] of leaving) if (server.listening) end(server);
      listening = after;
      return null;
    }
    for (const [address, server] of after) if (!before.has(address)) end(server);
    const kept = new Map<string, Server>();
    for (const [address, server] of before) {
      const again = server.listening ? server : await listen(address, options).catch(() => null);
      if (again !== null) kept.set(address, again);
    }
    listening = kept;
    return { ...trouble, still: [...kept.keys()] };
  }

  async function start(): Promise<void> {
    if (busy || closed) return;
    busy = true;
    cancel();
    let addresses = wanted;
    let trouble = await step(addresses);
    while (addresses !== wanted) {
      addresses = wanted;
      trouble = await step(addresses);
    }
    busy = false;
    if (closed) return shut();
    if (trouble === null) return options.opened();
    options.refused(trouble);
    cancel = clock.after(RETRY_MS, () => void start());
  }
  const shut = (): void => {
    for (const server of listening.values()) end(server);
    listening = new Map();
  };
  if (wanted.length > 0) void start();

  return {
    move(addresses) {
      wanted = [...addresses];
      void start();
    },
    close() {
      closed = true;
      cancel();
      if (!busy) shut();
    },
  };
}

const samePort = (a: string, b: string): boolean => hostPort(a)?.port === hostPort(b)?.port;

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
  refused({ address, cause, still }) {
    const why = `cannot listen on ${address}: ${cause}`;
    const text =
      still.length === 0 ? `${lost} ${why}` : `${subject} ${why}; it stays on ${still.join(', ')}`;
    problems.raise(subject, text, listenRemedy(address));
  },
});

/** What to do where something else has the port. */
export const listenRemedy = (address: string): string =>
  `sockstat -l -p ${hostPort(address)?.port ?? 0} shows the holder; retried every 5 s`;

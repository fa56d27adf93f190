import { dirname, join } from 'node:path';
import type { Socket } from 'node:net';
import { ListenError, giveToGroup, listenTcp, listenUnix, type Listener } from './listen.ts';

/** The three kinds of callers, each with its listeners. */
export type Door = 'tls' | 'local' | 'admin';

/** So many connections wait for a start; of more the oldest go. */
const MOST_HELD = 256;

/** Root's socket, beside the configured one. */
export const adminSocket = (configured: string): string => join(dirname(configured), 'admin.sock');

/** Listeners that hold what arrives until somebody serves it. */
export interface Bound {
  /** HOST:PORT with the real port, and both socket paths. */
  readonly addresses: readonly string[];
  /** What is not as configured and does not keep it from serving, one sentence each. */
  readonly problems: readonly string[];
  /** From now on, and with what has arrived. */
  serve(accept: Readonly<Record<Door, (socket: Socket) => void>>): void;
  /** Accepts no more; connections stay. */
  close(): void;
}

/**
 * Binds the TCP addresses, the configured socket for its group, and admin.sock beside it for root
 * alone. Nothing is read from anybody before `serve`, so that root can bind and somebody else
 * serve; `beforeSockets` is called when the ports are bound, which is what may need root. Throws ListenError naming address and cause, with nothing left listening.
 */
export async function bind(
  options: {
    readonly listen: readonly string[];
    readonly socket: { readonly path: string; readonly group: string };
  },
  beforeSockets: () => void = () => undefined,
): Promise<Bound> {
  const { listen, socket } = options;
  const listeners: Listener[] = [];
  const problems: string[] = [];
  const held: { readonly door: Door; readonly socket: Socket }[] = [];
  let accept: Parameters<Bound['serve']>[0] | null = null;
  const arrival = (door: Door) => (arrived: Socket) => {
    if (accept !== null) return accept[door](arrived);
    arrived.on('error', () => undefined);
    held.push({ door, socket: arrived });
    if (held.length > MOST_HELD) held.shift()?.socket.destroy();
  };
  try {
    for (const address of listen) {
      try {
        listeners.push(await listenTcp(address, arrival('tls')));
      } catch (error) {
        if (!withoutIpv6(error)) throw error;
        problems.push(error.message);
      }
    }
    beforeSockets();
    listeners.push(await listenUnix(socket.path, 0o660, arrival('local')));
    const problem = giveToGroup(socket.path, socket.group);
    if (problem !== null) problems.push(problem);
    listeners.push(await listenUnix(adminSocket(socket.path), 0o600, arrival('admin')));
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return {
    addresses: listeners.map(({ address }) => address),
    problems,
    serve(handlers) {
      accept = handlers;
      for (const one of held.splice(0)) if (!one.socket.destroyed) handlers[one.door](one.socket);
    },
    close() {
      for (const listener of listeners) listener.close();
    },
  };
}

/** The default listens on both families; a kernel without IPv6 is no reason not to start. */
const withoutIpv6 = (error: unknown): error is ListenError =>
  error instanceof ListenError &&
  error.code === 'EAFNOSUPPORT' &&
  error.address.startsWith('[::]:');

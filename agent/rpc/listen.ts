import { existsSync, lchownSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { ListenOptions, Socket } from 'node:net';
import { dirname } from 'node:path';
import { splitAddress } from '../wire/address.ts';

/** A place this agent was to listen at, and why it does not. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly address: string;
  /** errno name, or 'EBUSY' where another agent answers. */
  readonly code: string;

  constructor(address: string, code: string, problem: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: ${problem}`, options);
    this.address = address;
    this.code = code;
  }
}

export interface Listener {
  /** Where it listens, with the port the kernel chose for 0. */
  readonly address: string;
  /** Accepts no more; connections stay. */
  close(): void;
}

/** Listens on HOST:PORT or [HOST]:PORT; an IPv6 address takes IPv6 only. Throws ListenError. */
export async function listenTcp(
  address: string,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  const parts = splitAddress(address);
  if (parts === null)
    throw new ListenError(address, 'EINVAL', 'not of the form HOST:PORT or [HOST]:PORT');
  const { host, port } = parts;
  const { listener, bound } = await listen(address, { host, port, ipv6Only: true }, accept);
  const actual = typeof bound === 'object' ? (bound?.port ?? port) : port;
  return { ...listener, address: `${host.includes(':') ? `[${host}]` : host}:${actual}` };
}

/**
 * Listens on a unix socket that never is more open than `mode`. A stale socket
 * is removed; one that answers, or a file of another kind, is an error.
 */
export async function listenUnix(
  path: string,
  mode: 0o600 | 0o660,
  accept: (socket: Socket) => void,
): Promise<Listener> {
  await clear(path);
  // Node binds within listen(); the umask is the only way to have the mode from the start.
  const before = process.umask(0o777 & ~mode);
  try {
    return (await listen(path, { path }, accept, () => process.umask(before))).listener;
  } finally {
    process.umask(before);
  }
}

/** Gives a socket to a group of /etc/group; says why it could not, or null. */
export function giveToGroup(path: string, group: string): string | null {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${group}:`));
    const gid = Number(line?.split(':')[2] ?? Number.NaN);
    if (!Number.isInteger(gid)) return `${path}: there is no group ${group}, root alone can use it`;
    // Not what a link leads to.
    lchownSync(path, -1, gid);
    return null;
  } catch (error) {
    return `${path}: cannot be given to group ${group} (${codeOf(error)})`;
  }
}

async function listen(
  address: string,
  options: ListenOptions,
  accept: (socket: Socket) => void,
  bindDone: () => void = () => undefined,
): Promise<{ readonly listener: Listener; readonly bound: ReturnType<typeof server.address> }> {
  // Keepalive lets the kernel find out, in its own time, that a silent peer's host is gone.
  const server = createServer({ noDelay: true, keepAlive: true }, accept);
  await new Promise<void>((resolve, reject) => {
    // All of them: once it listens, one that nobody hears would end the agent.
    server.on('error', (error) => {
      const code = codeOf(error);
      reject(new ListenError(address, code, CAUSES[code] ?? code, { cause: error }));
    });
    server.listen(options, resolve);
    bindDone();
  });
  return { listener: { address, close: () => void server.close() }, bound: server.address() };
}

async function clear(path: string): Promise<void> {
  // libuv reports a missing directory as EACCES when it binds (uv_pipe_bind).
  if (!existsSync(dirname(path))) throw new ListenError(path, 'ENOENT', NO_FOLDER);
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind === undefined) return;
  if (!kind.isSocket())
    throw new ListenError(path, 'EEXIST', 'something that is no socket is there; remove it');
  const code = await new Promise<string>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve('');
    });
    probe.once('error', (error) => resolve(codeOf(error)));
  });
  if (code === '') throw new ListenError(path, 'EBUSY', 'an agent already listens there');
  if (code !== 'ECONNREFUSED')
    throw new ListenError(path, code, `whether an agent listens there is unknown (${code})`);
  unlinkSync(path);
}

const NO_FOLDER = 'its directory does not exist (ENOENT)';
const CAUSES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the address is in use (EADDRINUSE)',
  EADDRNOTAVAIL: 'no interface has this address (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this host does not speak that protocol (EAFNOSUPPORT)',
  EACCES: 'not permitted (EACCES)',
};

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error);

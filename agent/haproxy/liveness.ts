import { MORE_DESCRIPTORS, noneLeft } from '../core/descriptors.ts';
import type { ListenerAnswer } from './listener.ts';
import { RuntimeError } from './runtime.ts';

/** What is known of the HAProxy that new clients get to, told the moment it changes. */
export type Liveness =
  | { readonly kind: 'up'; readonly pid: number; readonly version: string }
  /** It serves the sessions it has and accepts no new ones: for new clients the same as down. */
  | { readonly kind: 'stopping'; readonly pid: number; readonly cause: string }
  /** It cannot be asked, which says nothing of its clients; `remedy`: the line to write. */
  | { readonly kind: 'unknown'; readonly cause: string; readonly remedy: string }
  /** It is there, and neither its stats socket nor a listener answers. */
  | { readonly kind: 'hung'; readonly cause: string }
  | { readonly kind: 'down'; readonly cause: string };

/** Why a new connection to the stats socket was not answered. */
export type Trouble =
  /** Nobody accepts there. */
  | { readonly kind: 'gone'; readonly cause: string }
  /**
   * Its file is there and refuses: nobody listens, or on FreeBSD the queue of who listens is full
   * (sys/kern/uipc_usrreq.c: unp_connectat() says ECONNREFUSED where sonewconn() gives nothing).
   * Linux says EAGAIN to the latter (net/unix/af_unix.c, unix_stream_connect()), which is silence.
   */
  | { readonly kind: 'refused'; readonly cause: string }
  /** Accepted, and not answered. `hasEnded`: the connection was closed, and its time not over. */
  | { readonly kind: 'silent'; readonly cause: string; readonly hasEnded: boolean }
  /** Something else than HAProxy answers, or no socket is there. */
  | { readonly kind: 'alien'; readonly cause: string }
  /** No right to connect. */
  | { readonly kind: 'barred'; readonly cause: string }
  /** No descriptor for a connection is left here. */
  | { readonly kind: 'exhausted'; readonly cause: string };

const NAME_IT =
  'socket = "/PATH" below [haproxy] in agent.toml, or in haproxy.conf, global: ' +
  'stats socket /var/run/haproxy.sock mode 600 level admin';
const GROUP = 'stats socket ... mode 660 level admin group proxyctl, in haproxy.conf';
const MORE_SLOTS = 'stats maxconn 50, in haproxy.conf, global; or end who holds connections there';

/** Which stats socket it is cannot be known. */
export const noSocket = (cause: string): Liveness => ({ kind: 'unknown', cause, remedy: NAME_IT });

/** The socket is of a level that may not change anything: verbs fail there. */
export const notAdmin = (path: string, level: string): Liveness => ({
  kind: 'unknown',
  cause: `the stats socket ${path} is of level ${level}: HAProxy cannot be told anything`,
  remedy: `stats socket ${path} mode 600 level admin, in haproxy.conf; reload HAProxy`,
});

/** What else was seen when the stats socket did not answer. */
export interface Seen {
  readonly path: string;
  readonly listener: ListenerAnswer;
  /** The process behind the connection that is held answers, and does not say that it stops. */
  readonly heldAnswers: boolean;
  /** A process that said it stops and still has sessions. */
  readonly stopping: number | null;
  /** One of the process table that serves this configuration; looked for where no listener can be asked. */
  readonly process: number | null;
}

/**
 * The verdict on a stats socket that does not answer a new connection: silence there is silence
 * of HAProxy only where its listeners say no better.
 */
export function verdict(trouble: Trouble, seen: Seen): Liveness {
  const { path, listener, heldAnswers, stopping, process } = seen;
  const { kind, cause } = trouble;
  if (kind === 'barred') return { kind: 'unknown', cause, remedy: GROUP };
  if (kind === 'exhausted') return { kind: 'unknown', cause, remedy: MORE_DESCRIPTORS };
  // A process that answers over an older connection, and whose socket refuses: its queue is full.
  const isFull = (kind === 'silent' && !trouble.hasEnded) || (kind === 'refused' && heldAnswers);
  const remedy = isFull ? MORE_SLOTS : NAME_IT;
  const says =
    kind === 'refused' && heldAnswers ? `${path} takes no connection (ECONNREFUSED)` : cause;
  if (listener.kind === 'answers')
    return { kind: 'unknown', cause: `${says}; HAProxy answers at ${listener.at}`, remedy };
  const alive = listener.kind === 'refused' ? kind === 'silent' && heldAnswers : heldAnswers;
  if (alive) return { kind: 'unknown', cause: `${says}; ${path} was answered before`, remedy };
  if (kind === 'alien' && listener.kind === 'none') return { kind: 'unknown', cause, remedy };
  if (listener.kind === 'silent' || kind === 'silent') return { kind: 'hung', cause };
  if (listener.kind === 'none' && process !== null && stopping === null)
    return { kind: 'unknown', cause: `${cause}; process ${process} of HAProxy is there`, remedy };
  if (stopping === null) return { kind: 'down', cause };
  const text = 'it accepts no new connections and ends with the sessions it has';
  return { kind: 'stopping', pid: stopping, cause: text };
}

/** Why a question on a new connection to `path` was not answered. */
export function troubleOf(error: unknown, path: string): Trouble {
  const cause = error instanceof Error ? error.message : String(error);
  const failure = error instanceof RuntimeError ? error.failure : null;
  switch (failure?.kind) {
    case 'missing':
      return { kind: 'gone', cause: `nobody listens at ${path} (ENOENT)` };
    case 'refused':
      return { kind: 'refused', cause: `nobody listens at ${path} (ECONNREFUSED)` };
    case 'denied':
      return { kind: 'barred', cause: `${path} may not be used (${codeOf(error)})` };
    case 'broken':
      if (/^(EMFILE|ENFILE|ENOBUFS|ENOMEM)$/.test(failure.code))
        return { kind: 'exhausted', cause: noneLeft(failure.code) };
      if (/^(ENOTSOCK|EPROTOTYPE|ENOTDIR|ENAMETOOLONG)$/.test(failure.code))
        return { kind: 'alien', cause: `${path} is no stats socket (${failure.code})` };
      return { kind: 'silent', cause, hasEnded: failure.code !== 'EAGAIN' };
    case 'timeout':
      return { kind: 'silent', cause, hasEnded: false };
    case 'empty':
    case 'cut':
      return { kind: 'silent', cause, hasEnded: true };
    case 'rejected':
    case 'text':
    case 'too-large':
    case 'too-long':
    case undefined:
      return { kind: 'alien', cause: `it does not speak HAProxy: ${cause}` };
  }
}

/** The system's error below a RuntimeError. */
function codeOf(error: unknown): string {
  const below = error instanceof Error ? error.cause : null;
  return below instanceof Error && 'code' in below ? String(below.code) : 'no permission';
}

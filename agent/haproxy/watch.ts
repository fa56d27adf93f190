import { statSync, watch as watchDirectory } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Clock } from '../sys/clock.ts';
import { readInfo, type Info } from './info.ts';
import { RuntimeError, runtime } from './runtime.ts';

/** What is known of one HAProxy process, told the moment it changes. */
export type Liveness =
  | { readonly kind: 'up'; readonly pid: number; readonly version: string }
  | { readonly kind: 'down'; readonly cause: string }
  /** It accepts on its socket and does not answer. */
  | { readonly kind: 'hung'; readonly cause: string }
  /** This process may not connect: nothing is known of HAProxy, least of all that it is down. */
  | { readonly kind: 'barred'; readonly cause: string };

export interface WatchOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** A reply that takes longer is a miss; two in a row are `hung`. */
  readonly hungAfterMs: number;
  readonly onChange: (liveness: Liveness) => void;
}

const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;
const PING_MS = 1000;
const MISSES = 2;
/** A dying process may accept once more; who closes more often than this is not tried in a loop. */
const CLOSINGS = 3;

/**
 * Watches one HAProxy through its stats socket. A held connection tells of its
 * death at once (EOF, then nobody listens). After a reload the held connection
 * stays with the old process and says nothing, so the socket's inode is
 * watched too: a new one is a new process. An idle connection that HAProxy
 * closes by itself (stats timeout) is no death: the next one is answered.
 */
export function watchHaproxy(options: WatchOptions): () => void {
  const { socketPath, clock, hungAfterMs, onChange } = options;
  const ask = runtime(socketPath, { deadlineMs: hungAfterMs });
  let held: Socket | null = null;
  let trying: Socket | null = null;
  let inode: number | null = null;
  let said = '';
  let misses = 0;
  let retryMs = FIRST_RETRY_MS;
  let asking = false;
  /** Held connections that were closed since the last answer. */
  let unanswered = 0;
  let closed = false;
  let cancelRetry = (): void => {};
  let cancelPing = (): void => {};

  function tell(liveness: Liveness): void {
    const text = JSON.stringify(liveness);
    if (closed || text === said) return;
    said = text;
    onChange(liveness);
  }

  /**
   * Opens the connection that will tell of the process's end. The one that is
   * held is given up only once the new one stands: a starting HAProxy renames
   * its socket into place a moment before it listens.
   */
  function hold(): void {
    if (closed) return;
    cancelRetry();
    trying?.destroy();
    inode = inodeOf(socketPath);
    const socket = connect(socketPath);
    trying = socket;
    let cause = '';
    socket.on('connect', () => {
      const before = held;
      held = socket;
      trying = null;
      before?.destroy();
      void ping();
    });
    socket.on('data', () => undefined);
    socket.on('error', (error) => {
      cause = 'code' in error ? String(error.code) : error.message;
    });
    socket.on('close', () => {
      if (closed) return;
      if (held === socket) {
        held = null;
        // It was there a moment ago: look at once whether anybody still listens.
        if (unanswered++ < CLOSINGS) hold();
        else retryLater();
      } else if (trying === socket) {
        trying = null;
        if (held === null || retryMs === LAST_RETRY_MS) {
          if (cause === 'EACCES' || cause === 'EPERM')
            tell({ kind: 'barred', cause: `${socketPath} may not be used (${cause})` });
          else tell({ kind: 'down', cause: `nobody listens at ${socketPath} (${cause})` });
          misses = 0;
        }
        retryLater();
      }
    });
  }

  function retryLater(): void {
    cancelRetry();
    cancelRetry = clock.after(retryMs, hold);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  }

  async function ping(): Promise<void> {
    if (asking || closed) return;
    asking = true;
    cancelPing();
    let info: Info | null = null;
    let cause = '';
    let waited = false;
    try {
      info = await readInfo(ask);
    } catch (error) {
      cause = error instanceof Error ? error.message : String(error);
      const kind = error instanceof RuntimeError ? error.failure.kind : 'text';
      // Silence is a miss, and so are half an answer and a full queue nobody accepts from (EAGAIN).
      if (kind === 'timeout' || kind === 'broken' || kind === 'empty' || kind === 'cut') misses++;
      waited = kind === 'timeout';
      if (kind === 'text' || kind === 'rejected') cause = `it does not speak HAProxy: ${cause}`;
      if (kind === 'text' || kind === 'rejected') tell({ kind: 'hung', cause });
    }
    asking = false;
    if (info !== null) {
      misses = 0;
      unanswered = 0;
      retryMs = FIRST_RETRY_MS;
      tell({ kind: 'up', pid: info.pid, version: info.version });
    } else if (misses >= MISSES) tell({ kind: 'hung', cause });
    // A timeout has taken its time already.
    cancelPing = clock.after(waited ? 1 : PING_MS, () => {
      lookForNewProcess();
      void ping();
    });
  }

  function lookForNewProcess(): void {
    if (closed) return;
    const now = inodeOf(socketPath);
    if (now === inode || now === null) return;
    retryMs = FIRST_RETRY_MS;
    hold();
  }

  const directory = watchQuietly(socketPath, lookForNewProcess);
  hold();
  return () => {
    closed = true;
    cancelRetry();
    cancelPing();
    directory();
    held?.destroy();
    trying?.destroy();
  };
}

/** Calls back on changes to the socket's directory entry; where that cannot be watched, pings have to do. */
function watchQuietly(socketPath: string, onChange: () => void): () => void {
  const name = basename(socketPath);
  try {
    const watcher = watchDirectory(dirname(socketPath), (_event, file) => {
      // HAProxy binds under a temporary name and renames; either may be what is told.
      if (file === null || file.startsWith(name)) onChange();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

function inodeOf(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? null;
}

import { statSync, watch as watchDirectory, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../sys/clock.ts';
import type { Descriptors } from '../sys/descriptors.ts';
import { hold, type Held } from './held.ts';
import { readInfo, type Info } from './info.ts';
import type { Listener, ListenerAnswer } from './listener.ts';
import { notAdmin, troubleOf, verdict, type Liveness, type Trouble } from './liveness.ts';
import type { OlderProcesses } from './older.ts';
import { runtime } from './runtime.ts';

export interface WatchOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** A reply that takes longer is a miss; two in a row are silence. */
  readonly hungAfterMs: number;
  readonly listener: Listener;
  /** A process of HAProxy that serves, by the process table; null: none is seen. Never rejects. */
  readonly process: () => Promise<number | null>;
  /** Gets the connections to processes that are replaced or stop. */
  readonly older: OlderProcesses;
  /** What connections are opened from where no descriptor is left. */
  readonly descriptors?: Descriptors | undefined;
  readonly onChange: (liveness: Liveness) => void;
}

const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;
const PING_MS = 1000;
const MISSES = 2;
/** A dying process may take a connection once more; who closes more often than this is not tried in a loop. */
const CLOSINGS = 3;

/**
 * Watches one HAProxy through its stats socket. It lives when a new connection is answered: one a
 * second, and one at once when the connection that is held ends or says that its process stops,
 * or when the socket's inode is another one. What is not answered is judged together with a
 * listener (`verdict`). An idle connection that HAProxy closes by itself is no death: the next one
 * is answered.
 */
export function watchHaproxy(options: WatchOptions): () => void {
  const { socketPath, clock, hungAfterMs, listener, older, onChange } = options;
  const ask = runtime(socketPath, { deadlineMs: hungAfterMs, descriptors: options.descriptors });
  let held: Held | null = null;
  let holdAtMs = -Infinity;
  let inode: number | null = null;
  /** The process that was up last, and the level its socket gives; null: not known. */
  let last: { readonly pid: number; readonly level: string | null } = { pid: 0, level: null };
  let said = '';
  let misses = 0;
  /** Connections that ended without an answer, since the last answer. */
  let closings = 0;
  let retryMs = FIRST_RETRY_MS;
  let looking = false;
  let again = false;
  let closed = false;
  let cancel = (): void => {};
  /** Asked from the first miss on, so that the second one need not wait for it. */
  let asked: Promise<ListenerAnswer> | null = null;

  function tell(liveness: Liveness): void {
    const text = JSON.stringify(liveness);
    if (closed || text === said) return;
    said = text;
    onChange(liveness);
  }

  /** Looks now, or once more when a look is under way that may have begun too early. */
  function look(): void {
    if (closed) return;
    again = true;
    if (looking) return;
    looking = true;
    cancel();
    void looks();
  }

  async function looks(): Promise<void> {
    again = false;
    const pauseMs = await once();
    if (closed) return;
    if (again) return looks();
    looking = false;
    cancel = clock.after(pauseMs, look);
  }

  /** One new connection, and what follows from it; the ms until the next one is due. */
  async function once(): Promise<number> {
    const file = fileAt(socketPath);
    inode = file?.ino ?? null;
    const seen = await readInfo(ask).catch((error: unknown) => troubleOf(error, socketPath));
    if (closed) return 0;
    if ('kind' in seen && file?.isSocket() === false)
      return notAnswered({ kind: 'alien', cause: `${socketPath} is no socket` });
    if ('kind' in seen) return notAnswered(seen);
    if (seen.stopping)
      return notAnswered({ kind: 'gone', cause: `nobody listens at ${socketPath} any more` });
    await answered(seen);
    return PING_MS;
  }

  async function answered({ pid, version }: Info): Promise<void> {
    misses = 0;
    closings = 0;
    asked = null;
    retryMs = FIRST_RETRY_MS;
    if (held !== null && held.pid() !== null && held.pid() !== pid) letGo();
    if (last.pid !== pid) last = { pid, level: await levelOf() };
    if (closed) return;
    const { level } = last;
    if (level === null || level === 'admin') tell({ kind: 'up', pid, version });
    else tell(notAdmin(socketPath, level));
    if (held !== null || clock.nowMs() < holdAtMs) return;
    holdOn();
    await listener.prepare();
  }

  async function notAnswered(trouble: Trouble): Promise<number> {
    if (trouble.kind === 'silent' && trouble.hasEnded && ++closings < CLOSINGS) {
      again = true;
      return 0;
    }
    const pauseMs = retryMs;
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
    if (trouble.kind === 'silent') {
      asked ??= listener.ask(hungAfterMs);
      if (++misses < MISSES) return FIRST_RETRY_MS;
    } else {
      misses = 0;
      closings = 0;
      asked = null;
      // A starting HAProxy renames its socket into place a moment before it listens.
      const nobody = trouble.kind === 'gone' || trouble.kind === 'refused';
      if (nobody && held?.answers() === true && pauseMs < LAST_RETRY_MS) return pauseMs;
    }
    const needed = trouble.kind !== 'barred' && trouble.kind !== 'exhausted';
    const none: ListenerAnswer = { kind: 'none', at: '' };
    const answer = needed ? await (asked ?? listener.ask(hungAfterMs)) : none;
    asked = null;
    // Nobody else can tell that it lives.
    const process = needed && answer.kind === 'none' ? await options.process() : null;
    // What came meanwhile is looked at first: it knows better.
    if (closed || again) return pauseMs;
    tell(
      verdict(trouble, {
        path: socketPath,
        listener: answer,
        heldAnswers: held?.answers() === true,
        stopping: older.list().at(-1)?.pid ?? null,
        process,
      }),
    );
    return pauseMs;
  }

  const levelOf = (): Promise<string | null> =>
    ask('show cli level').then(
      (text) => (/^(user|operator|admin)$/.test(text.trim()) ? text.trim() : null),
      () => null,
    );

  function holdOn(): void {
    const mine = hold({
      path: socketPath,
      clock,
      deadlineMs: hungAfterMs,
      onPid(pid) {
        if (held === mine && pid !== last.pid) look();
      },
      onStopping() {
        if (held !== mine) return;
        letGo();
        look();
      },
      onEnd(session) {
        older.ended(session);
        if (held !== mine) return;
        held = null;
        // One that takes no session is not asked for one in a loop.
        if (mine.pid() === null) holdAtMs = clock.nowMs() + PING_MS;
        look();
      },
    });
    held = mine;
  }

  /** The process behind the held connection is replaced or stops: it is not to be kept alive by it. */
  function letGo(): void {
    const released = held?.release() ?? null;
    held = null;
    if (released !== null) older.add(released.pid, released.session, look);
  }

  function lookForNewProcess(): void {
    const now = fileAt(socketPath)?.ino;
    if (now === inode || now === undefined) return;
    retryMs = FIRST_RETRY_MS;
    look();
  }

  const unwatch = watchQuietly(socketPath, lookForNewProcess);
  look();
  return () => {
    closed = true;
    cancel();
    unwatch();
    held?.close();
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

/** Null: none, or none that may be looked at. */
function fileAt(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

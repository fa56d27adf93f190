import { isSystemError } from '../sys/files.ts';
import type { Clock } from '../sys/clock.ts';
import { readInfo } from './info.ts';
import type { Runtime } from './runtime.ts';
import type { CliSession } from './session.ts';

/** An HAProxy process of this host that was replaced, or is stopping, and still serves sessions. */
export interface OlderProcess {
  readonly pid: number;
  /** Over the connection that was held when it was the newest; null: it is there and cannot be asked. */
  readonly ask: Runtime | null;
}

export interface OlderProcesses {
  /** Oldest first. */
  list(): readonly OlderProcess[];
  /** Takes over the held session of a process that is replaced or stops. `onGone`: it is no longer listed. */
  add(pid: number, session: CliSession, onGone: () => void): void;
  /** The held session of one of them has ended. */
  ended(session: CliSession): void;
  close(): void;
}

/** A stopping process ends at most so much later than it would without the connection held here. */
const ASK_MS = 50;
/** Who is there and cannot be asked is looked for this often. */
const EXISTS_MS = 1000;

interface Kept {
  readonly pid: number;
  session: CliSession | null;
  readonly onGone: () => void;
  cancel: () => void;
}

/**
 * Keeps the connections to older processes, each no longer than its process has sessions besides:
 * HAProxy counts none of its stats sockets' connections as sessions (`CurrConns`), but does not
 * end before they have ended. `exists` tells whether a process lives.
 */
export function olderProcesses(clock: Clock, exists = isAlive): OlderProcesses {
  let kept: readonly Kept[] = [];

  function drop(one: Kept): void {
    if (!kept.includes(one)) return;
    kept = kept.filter((other) => other !== one);
    one.cancel();
    one.session?.close();
    one.onGone();
  }

  /** It may have ended, or only its stats socket's connection has. */
  function lookFor(one: Kept): void {
    one.session = null;
    if (!kept.includes(one)) return;
    if (!exists(one.pid)) return drop(one);
    one.cancel = clock.after(EXISTS_MS, () => lookFor(one));
  }

  async function count(one: Kept): Promise<void> {
    const { session } = one;
    if (session === null) return;
    try {
      const { sessions } = await readInfo(session.ask);
      if (!kept.includes(one)) return;
      if (sessions === 0) return drop(one);
      one.cancel = clock.after(ASK_MS, () => void count(one));
    } catch {
      // Where the session has ended by itself, that was told already.
      if (one.session !== session) return;
      session.close();
      lookFor(one);
    }
  }

  return {
    list: () => kept.map(({ pid, session }) => ({ pid, ask: session?.ask ?? null })),
    add(pid, session, onGone) {
      const one: Kept = { pid, session, onGone, cancel: () => {} };
      kept = [...kept, one];
      void count(one);
    },
    ended(session) {
      const one = kept.find((other) => other.session === session);
      if (one === undefined) return;
      one.cancel();
      lookFor(one);
    },
    close() {
      const all = kept;
      kept = [];
      for (const { cancel, session } of all) {
        cancel();
        session?.close();
      }
    },
  };
}

/** Whether a process has this id; of another user's too (EPERM). */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
}

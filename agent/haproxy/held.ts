import type { Clock } from '../sys/clock.ts';
import { readInfo } from './info.ts';
import { cliSession, type CliSession } from './session.ts';

/** The connection that is held to the newest process: the early sign of its end, and no proof of its life. */
export interface Held {
  /** Null: it has not answered yet. */
  pid(): number | null;
  /** It has answered lately, and did not say that it stops. */
  answers(): boolean;
  /** Gives the connection away with the process it belongs to; null: that is not known, and it is closed. */
  release(): { readonly pid: number; readonly session: CliSession } | null;
  close(): void;
}

export interface HeldOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** Its first answer. */
  readonly onPid: (pid: number) => void;
  /** It says that it accepts no new connections. */
  readonly onStopping: () => void;
  /** The connection has ended; also after `release`, with the session that was given away. */
  readonly onEnd: (session: CliSession) => void;
}

/**
 * A process that stops keeps this connection and closes its listeners without a word, so it is
 * asked this often. `show info` costs HAProxy 25 us of CPU time (2.6.12).
 */
const BEAT_MS = 50;
const LATELY_MS = 500;

/** Opens the connection and asks over it until it ends or is given away. */
export function hold(options: HeldOptions): Held {
  const { path, clock, deadlineMs, onPid, onStopping, onEnd } = options;
  let pid: number | null = null;
  // It is opened to a process that has just answered.
  let answeredAtMs = clock.nowMs();
  let over = false;
  let cancel = (): void => {};
  const session: CliSession = cliSession(path, deadlineMs, () => {
    stop();
    onEnd(session);
  });

  function stop(): void {
    over = true;
    cancel();
  }

  async function beat(): Promise<void> {
    try {
      const info = await readInfo(session.ask);
      if (over) return;
      const first = pid === null;
      ({ pid } = info);
      if (info.stopping) {
        answeredAtMs = -Infinity;
        onStopping();
        return;
      }
      answeredAtMs = clock.nowMs();
      cancel = clock.after(BEAT_MS, () => void beat());
      if (first) onPid(info.pid);
    } catch {
      // A connection that ended is told by onEnd; one that speaks otherwise says nothing.
      session.close();
    }
  }

  void beat();
  return {
    pid: () => pid,
    answers: () => !over && clock.nowMs() - answeredAtMs < LATELY_MS,
    release() {
      stop();
      if (pid !== null) return { pid, session };
      session.close();
      return null;
    },
    close() {
      stop();
      session.close();
    },
  };
}

import { onGrid } from '../core/grid.ts';
import type { Clock } from '../sys/clock.ts';
import { parseInfo, type Info } from './info.ts';
import { refuseUnknown } from './runtime.ts';
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
  /** Clients come here: a process that stops is to be seen soon. */
  readonly serves: () => boolean;
  /** Its first answer. */
  readonly onPid: (pid: number) => void;
  /** It says that it accepts no new connections. */
  readonly onStopping: () => void;
  /** The connection has ended; also after `release`, with the session that was given away. */
  readonly onEnd: (session: CliSession) => void;
}

/**
 * A process that stops keeps this connection and closes its listeners without a word, so it is
 * asked this often; seldom where no client comes. `show info` costs HAProxy 25 us of CPU time
 * (2.6.12), and this process ten times that.
 */
const BEAT_MS = 50;
const QUIET_BEAT_MS = 200;
const LATELY_MS = 500;

/** Opens the connection and asks over it until it ends or is given away. */
export function hold(options: HeldOptions): Held {
  const { path, clock, deadlineMs, serves, onPid, onStopping, onEnd } = options;
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

  const beat = (): void => session.put('show info', heard);

  function heard(reply: string): void {
    if (over) return;
    if (pid === null || !isCalm(reply, pid)) {
      const info = infoOf(reply);
      // One that speaks otherwise says nothing; a connection that ended is told by onEnd.
      if (info === null) return session.close();
      const first = pid === null;
      ({ pid } = info);
      if (info.stopping) {
        answeredAtMs = -Infinity;
        onStopping();
        return;
      }
      if (first) onPid(info.pid);
      if (over) return;
    }
    answeredAtMs = clock.nowMs();
    cancel = clock.after(onGrid(answeredAtMs, serves() ? BEAT_MS : QUIET_BEAT_MS), beat);
  }

  beat();
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

/** The same process as before, and it does not stop: most replies, of which nothing else is looked at. */
const isCalm = (reply: string, pid: number): boolean =>
  reply.includes('\nStopping: 0\n') && reply.includes(`\nPid: ${pid}\n`);

/** Null: that is no reply to `show info`. */
function infoOf(reply: string): Info | null {
  try {
    return parseInfo(refuseUnknown(reply, 'show info', ''));
  } catch {
    return null;
  }
}

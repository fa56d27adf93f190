import { noDescriptor } from '../core/descriptors.ts';
import type { Clock } from '../sys/clock.ts';
import type { LineProgram, StartLines } from '../sys/line-program.ts';
import type { OnReply } from './echo.ts';
import { isSameAddress, parseReply } from './ping-reply.ts';

export interface StandingPingOptions {
  /** Path of ping(8). */
  readonly ping: string;
  readonly clock: Clock;
  readonly start: StartLines;
  /** A probe leaves now, by its own time. */
  readonly onAsked: OnReply;
  readonly onReply: OnReply;
  /** It could not be started for want of a descriptor: asks another way. */
  readonly askOnce: OnReply;
}

/** ping(8)'s own interval, and the least that it lets users have who are not root (FreeBSD). */
export const INTERVAL_MS = 1000;
/**
 * It ends by itself after so many answers and is started again: one whose agent was killed, and
 * that hears no answer it could fail to print, is gone after a minute and the wait for the last.
 */
const COUNT = 60;
/** One that prints nothing for so many probes is replaced: it may be the one that hangs. */
const PATIENCE = 2;
const MOST_PATIENCE = 16;
/** More lines than this between two answers that are due, and it does not do what it was asked. */
const MOST_LINES = 20;

/** One ping(8) to `address` that stays, started anew whenever it ends. */
function standing(address: string, options: StandingPingOptions) {
  const { ping, clock, start, onAsked, onReply, askOnce } = options;
  let program: LineProgram | null = null;
  let patience = PATIENCE;
  let unanswered = 0;
  let lines = 0;
  let last = -1;
  let waitingSinceMs = clock.nowMs();
  let cancel = (): void => {};

  function wait(): void {
    cancel();
    waitingSinceMs = clock.nowMs();
    cancel = clock.after(INTERVAL_MS, due);
  }

  function launch(): void {
    [lines, last] = [0, -1];
    const args = ['-n', '-i', '1', '-c', String(COUNT), address];
    const mine: LineProgram = start(ping, args, heard, (error) => {
      if (program === mine) program = null;
      if (noDescriptor(error) !== null) askOnce(address);
    });
    program = mine;
  }

  function replace(): void {
    program?.end();
    program = null;
    launch();
  }

  /** The answer to the probe before would be here by now, and the next probe leaves. */
  function due(): void {
    onAsked(address);
    unanswered++;
    lines = 0;
    if (program === null) launch();
    else if (unanswered >= patience) {
      unanswered = 0;
      patience = Math.min(MOST_PATIENCE, patience * 2);
      replace();
    }
    wait();
  }

  function heard(line: string): void {
    if (++lines > MOST_LINES) {
      program?.end();
      program = null;
      return;
    }
    const reply = parseReply(line);
    // Twice the same is no second answer, and one that took so long says nothing of now.
    if (reply === null || reply.sequence <= last || reply.tookMs >= INTERVAL_MS) return;
    if (!isSameAddress(reply.address, address)) return;
    last = reply.sequence;
    // This process stood still: nobody knows when that was printed.
    if (clock.nowMs() - waitingSinceMs >= 2 * INTERVAL_MS) return;
    [lines, unanswered, patience] = [0, 0, PATIENCE];
    onReply(address);
    wait();
  }

  onAsked(address);
  launch();
  wait();
  return {
    end(): void {
      cancel();
      program?.end();
      program = null;
    },
  };
}

/**
 * One ping(8) for each address that is followed, asking once a second and read line by line: a
 * process a probe would be most of what an idle agent costs. What it prints is believed only as an
 * answer of its address to a probe of its own; what it does not print is a probe that was lost, by
 * the clock of this process, so that one that hangs, floods or ends does no more than one that
 * could not be started.
 */
export function standingPings(options: StandingPingOptions) {
  const followed = new Map<string, ReturnType<typeof standing>>();
  return {
    /** Exactly these from now on. */
    follow(addresses: readonly string[]): void {
      for (const [address, one] of followed) {
        if (addresses.includes(address)) continue;
        one.end();
        followed.delete(address);
      }
      for (const address of addresses)
        if (!followed.has(address)) followed.set(address, standing(address, options));
    },
    close(): void {
      for (const one of followed.values()) one.end();
      followed.clear();
    },
  };
}

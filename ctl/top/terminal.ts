import { writeSync } from 'node:fs';
import { forTerminal, painted } from '../streams.ts';
import { keysOf } from './keys.ts';
import type { Size } from './render.ts';

/** xterm's private modes 1049 (alternate screen) and 25 (cursor); what knows none of them ignores it. */
const ENTER = '\u001B[?1049h\u001B[?25l\u001B[H\u001B[J';
const LEAVE = '\u001B[H\u001B[J\u001B[?25h\u001B[?1049l';
/** ECMA-48: CUP, EL, ED. */
const HOME = '\u001B[H';
const END_OF_LINE = '\u001B[K\r\n';
const END_OF_SCREEN = '\u001B[K\u001B[J';

export interface Terminal {
  size(): Size;
  draw(lines: readonly string[]): void;
  /** As it was before: canonical input, cursor, the other screen. Twice is once. */
  close(): void;
}

export interface TerminalEvents {
  readonly key: (key: string) => void;
  readonly resized: () => void;
  /** The terminal is gone, or a handler threw. */
  readonly failed: (error: Error) => void;
}

/**
 * Takes this process's terminal for a whole screen. It is given back by
 * `close`, and at every other end of the process but SIGKILL; while it is
 * stopped (Ctrl-Z) too.
 */
export function openTerminal({ key, resized, failed }: TerminalEvents): Terminal {
  const { stdin, stdout } = process;
  let open = false;
  const enter = (): void => {
    stdin.setRawMode(true);
    writeSync(1, ENTER);
    open = true;
  };
  const leave = (): void => {
    if (!open) return;
    open = false;
    try {
      stdin.setRawMode(false);
      writeSync(1, LEAVE);
    } catch {
      // The terminal is gone: nobody sees it.
    }
  };
  const guarded =
    <A extends unknown[]>(act: (...args: A) => void) =>
    (...args: A): void => {
      try {
        act(...args);
      } catch (error) {
        failed(error instanceof Error ? error : new Error(String(error)));
      }
    };
  const data = guarded((text: string) => {
    for (const one of keysOf(text)) {
      if (one !== 'ctrl-z') key(one);
      else {
        leave();
        process.kill(process.pid, 'SIGTSTP');
      }
    }
  });
  const continued = guarded(() => {
    if (!open) enter();
    resized();
  });
  const resize = guarded(resized);
  const gone = (): void => failed(new Error('the terminal is gone'));
  process.on('exit', leave);
  process.on('uncaughtException', failed);
  process.on('SIGCONT', continued);
  stdout.on('resize', resize).on('error', gone);
  stdin.setEncoding('utf8').on('data', data).on('end', gone).on('error', gone);
  enter();
  return {
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    draw(lines) {
      if (open)
        stdout.write(
          `${HOME}${lines.map((line) => painted(forTerminal(line))).join(END_OF_LINE)}${END_OF_SCREEN}`,
        );
    },
    close() {
      leave();
      process.off('exit', leave).off('uncaughtException', failed).off('SIGCONT', continued);
      stdout.off('resize', resize);
      stdin.off('data', data).off('end', gone).pause();
    },
  };
}

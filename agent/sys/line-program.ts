import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { childEnvironment } from './exec.ts';

/** A program that goes on, and is read line by line. */
export interface LineProgram {
  /** Ends it, whatever state it is in (SIGKILL: one that is stopped heeds nothing else). */
  end(): void;
}

/**
 * Starts one. `onLine` gets each line of its standard output; `onEnd` is called once when it is
 * gone, with the error where it could not be started, and neither is called after `end`.
 */
export type StartLines = (
  file: string,
  args: readonly string[],
  onLine: (line: string) => void,
  onEnd: (error: Error | null) => void,
) => LineProgram;

/** Nothing that is read here has longer lines: the rest of one is left out. */
const LONGEST = 1000;

/**
 * Without a shell, and with the environment of `execWithin`. Nothing is read of its standard error,
 * and it keeps this process no longer alive.
 */
export const startLines: StartLines = (file, args, onLine, onEnd) => {
  const env = childEnvironment();
  let rest = '';
  let over = false;

  const ended = (error: Error | null): void => {
    if (over) return;
    over = true;
    onEnd(error);
  };

  let child: ChildProcess;
  try {
    child = spawn(file, [...args], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // No memory for another process: the other errors are told by an event.
    setImmediate(() => ended(error instanceof Error ? error : new Error(String(error))));
    return { end: () => void (over = true) };
  }
  child.unref();
  child.once('error', ended);
  child.once('close', () => ended(null));
  // Null where no descriptor was left for it.
  const { stdout } = child;
  stdout?.setEncoding('utf8');
  stdout?.on('error', () => undefined);
  stdout?.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, LONGEST);
    for (const line of lines) if (!over) onLine(line);
  });
  if (stdout instanceof Socket) stdout.unref();
  return {
    end() {
      over = true;
      child.kill('SIGKILL');
      stdout?.destroy();
    },
  };
};

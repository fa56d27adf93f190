import { execFile } from 'node:child_process';
import { isNoneLeft, noneLeft } from '../core/descriptors.ts';

/** How a command can fail. Callers switch on `kind`, never on message text. */
export type CommandFailure =
  | { readonly kind: 'spawn'; readonly code: string }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'exit'; readonly code: number }
  /** It printed more than anybody would read, and was ended. */
  | { readonly kind: 'output'; readonly bytes: number };

/** A program that could not be run to a successful end: what was tried, then what happened. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly failure: CommandFailure;
  readonly stderr: string;

  constructor(
    argv: readonly string[],
    failure: CommandFailure,
    stderr: string,
    options?: ErrorOptions,
  ) {
    const said = stderr.trim().split('\n')[0] ?? '';
    super(`${argv.join(' ')}: ${describe(failure)}${said === '' ? '' : `: ${said}`}`, options);
    this.failure = failure;
    this.stderr = stderr;
  }
}

/** What any program may print, bytes. */
export const OUTPUT_LIMIT = 8 << 20;

/** C-locale text, and no variable that changes ifconfig's output (IFCONFIG_FORMAT). */
export const childEnvironment = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '/sbin:/bin:/usr/sbin:/usr/bin',
  LC_ALL: 'C',
});

/** Runs one program without a shell; resolves to its stdout, rejects with CommandError. */
export type Exec = (file: string, args: readonly string[]) => Promise<string>;

/**
 * An Exec with a deadline in milliseconds, after which the child gets SIGKILL.
 */
export function execWithin(timeoutMs: number): Exec {
  return (file, args) =>
    new Promise((resolve, reject) => {
      const options = {
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        env: childEnvironment(),
        maxBuffer: OUTPUT_LIMIT,
      } as const;
      execFile(file, [...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else {
          const failure = classify(error, timeoutMs);
          reject(new CommandError([file, ...args], failure, stderr, { cause: error }));
        }
      });
    });
}

interface ExecFailure {
  readonly killed?: boolean | undefined;
  readonly signal?: NodeJS.Signals | null | undefined;
  readonly code?: string | number | null | undefined;
}

function classify(error: ExecFailure, timeoutMs: number): CommandFailure {
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
    return { kind: 'output', bytes: OUTPUT_LIMIT };
  if (error.killed === true) return { kind: 'timeout', afterMs: timeoutMs };
  if (typeof error.signal === 'string') return { kind: 'signal', signal: error.signal };
  if (typeof error.code === 'number') return { kind: 'exit', code: error.code };
  return { kind: 'spawn', code: error.code ?? 'unknown' };
}

function describe(failure: CommandFailure): string {
  switch (failure.kind) {
    case 'spawn':
      if (failure.code === 'ENOENT') return 'no such program';
      return `cannot be started${isNoneLeft(failure.code) ? `: ${noneLeft(failure.code)}` : ` (${failure.code})`}`;
    case 'timeout':
      return `no answer within ${failure.afterMs} ms`;
    case 'signal':
      return `killed by ${failure.signal}`;
    case 'exit':
      return `exit ${failure.code}`;
    case 'output':
      return `more than ${failure.bytes} bytes of output`;
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { CommandError, OUTPUT_LIMIT, childEnvironment, type Exec } from './exec.ts';

/**
 * Runs each line, then prints the mark, a blank and the exit code on a line of their own. It ends
 * when its standard input does, and so with the process that started it.
 */
const SCRIPT = `while IFS= read -r line; do
eval "$line" </dev/null 2>/dev/null
printf '\\n%s %s\\n' "$1" "$?"
done`;

interface Waiting {
  readonly argv: readonly string[];
  readonly resolve: (stdout: string) => void;
  readonly reject: (error: CommandError) => void;
  /** The shell did not run it, or it failed: somebody else tells how. */
  readonly otherwise: () => void;
}

interface Shell {
  run(one: Waiting): void;
  end(): void;
}

/**
 * An Exec for programs that are run again and again, as children of a small shell that stays: what
 * starts a child is copied first, and this process is fifty times the size. A program that fails is
 * run once more by `otherwise`, which then says how; so is one that the shell cannot run. Whatever
 * takes longer than `limitMs` is killed with the shell, and the next call starts another.
 */
export function standingShell(
  limitMs: number,
  otherwise: Exec,
): { readonly exec: Exec; readonly close: () => void } {
  let shell: Shell | null = null;
  let closed = false;

  const exec: Exec = (file, args) => {
    const argv = [file, ...args];
    if (closed || argv.some((word) => word.includes('\n'))) return otherwise(file, args);
    return new Promise((resolve, reject) => {
      const again = (): void => void otherwise(file, args).then(resolve, reject);
      shell ??= startShell(limitMs, () => (shell = null));
      shell.run({ argv, resolve, reject, otherwise: again });
    });
  };
  return {
    exec,
    close(): void {
      closed = true;
      shell?.end();
    },
  };
}

/** `gone` is called once, before anything that still waits is answered. */
function startShell(limitMs: number, gone: () => void): Shell {
  const mark = randomBytes(16).toString('hex');
  // A process group of its own, so that what hangs can be killed with it.
  const child: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'sh', mark], {
    env: childEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  let waiting: Waiting[] = [];
  let said = '';
  let over = false;
  let timer: NodeJS.Timeout | null = null;
  const end = new RegExp(`\\n${mark} (\\d+)\\n`);

  /** Everything that waits is run by others; the first one, where it was too much, is told so. */
  function stop(first: CommandError | null): void {
    if (over) return;
    over = true;
    if (timer !== null) clearTimeout(timer);
    kill();
    gone();
    const left = waiting;
    waiting = [];
    if (first !== null) left.shift()?.reject(first);
    for (const one of left) one.otherwise();
  }

  function kill(): void {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    child.stdin?.destroy();
    child.stdout?.destroy();
  }

  function arm(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const [first] = waiting;
    if (first === undefined) return;
    const late = { kind: 'timeout', afterMs: limitMs } as const;
    timer = setTimeout(() => stop(new CommandError(first.argv, late, '')), limitMs);
    timer.unref();
  }

  child.unref();
  child.on('error', () => stop(null));
  child.on('close', () => stop(null));
  // Null where no descriptor was left for them. A write to a shell that has ended: `close` tells.
  child.stdin?.on('error', () => undefined);
  child.stdout?.on('error', () => undefined);
  child.stdout?.setEncoding('utf8');
  child.stdout?.on('data', (chunk: string) => {
    said += chunk;
    for (let found = end.exec(said); found !== null; found = end.exec(said)) {
      const stdout = said.slice(0, found.index);
      said = said.slice(found.index + found[0].length);
      const first = waiting.shift();
      arm();
      if (found[1] === '0') first?.resolve(stdout);
      else first?.otherwise();
    }
    const [first] = waiting;
    if (said.length <= OUTPUT_LIMIT) return;
    const flood = { kind: 'output', bytes: OUTPUT_LIMIT } as const;
    stop(first === undefined ? null : new CommandError(first.argv, flood, ''));
  });
  return {
    run(one) {
      waiting.push(one);
      if (waiting.length === 1) arm();
      child.stdin?.write(`${one.argv.map(quoted).join(' ')}\n`);
    },
    end: () => stop(null),
  };
}

/** One word for sh(1), whatever is in it. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

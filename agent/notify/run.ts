import { spawn } from 'node:child_process';

/** Of what a program says on standard error, so much is looked at. */
const MOST_SAID = 2048;

/**
 * Runs a program without a shell, with `input` on its standard input. Rejects with one sentence
 * where it cannot be started, ends with another code than 0, or has not ended after `timeoutMs`:
 * then it and what it has started get SIGKILL.
 */
export function run(argv: readonly string[], input: string, timeoutMs: number): Promise<void> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '/sbin:/bin:/usr/sbin:/usr/bin', LC_ALL: 'C' },
      detached: true,
    });
    let said = '';
    const end = (cause: string): void => {
      clearTimeout(timer);
      child.stderr.destroy();
      if (cause === '') resolve();
      else reject(new Error(`${program}: ${cause}`));
    };
    const timer = setTimeout(() => {
      if (child.pid !== undefined) killGroup(child.pid);
      end(`has not ended after ${timeoutMs} ms and was killed`);
    }, timeoutMs);
    child.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString('utf8')}`.slice(0, MOST_SAID);
    });
    child.on('error', (error) =>
      end('code' in error && error.code === 'ENOENT' ? 'no such program' : error.message),
    );
    // What it has started may hold standard error: its own end counts.
    child.on('exit', (code, signal) => {
      const line = said.trim().split('\n')[0] ?? '';
      const why = line === '' ? '' : `: ${line.slice(0, 200)}`;
      if (code === 0) end('');
      else end(signal === null ? `exit ${code}${why}` : `killed by ${signal}${why}`);
    });
    // It need not read it.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the same moment.
  }
}

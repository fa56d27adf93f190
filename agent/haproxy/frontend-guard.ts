import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Somebody else than this agent who opens frontends again. */
export interface FrontendGuard {
  /** They are open again: it has nothing to do. Done twice it changes nothing. */
  dismiss(): void;
  /** It opens them now. */
  release(): void;
}

/** How long it may take to be there, ms. */
const READY_MS = 5000;

/**
 * The whole program of the guard: `node -e` with the stats socket, how long it waits at most (ms), and
 * the names of the frontends. It opens them when its standard input ends, which it does with whoever
 * started it however that ended, or when its time is over; "done" there ends it without. HAProxy that
 * does not answer is asked again for half a minute; one that is gone comes back with all open.
 */
const PROGRAM = `
const [path, waitMs, ...names] = process.argv.slice(1);
const untilMs = Number(waitMs);
let begun = false;
const open = () => {
  if (begun) return;
  begun = true;
  const end = setTimeout(() => process.exit(1), 30000);
  const ask = () => {
    let text = '';
    const socket = require('net').connect(path);
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('connect', () => socket.write(names.map((one) => 'enable frontend ' + one).join(';') + '\\n'));
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => (text === '' || /^Failed/m.test(text) ? setTimeout(ask, 100) : process.exit()));
  };
  ask();
};
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, open);
setTimeout(open, untilMs);
process.stdin.on('data', () => process.exit());
process.stdin.on('end', open);
process.stdin.on('error', open);
process.stdout.on('error', () => undefined);
process.stdout.write('ready\\n');
`;

/**
 * Starts a guard of these frontends, in a session of its own, so that it outlives this agent. Resolves
 * once it watches; rejects with a sentence where it cannot.
 */
export async function frontendGuard(
  path: string,
  names: readonly string[],
  waitMs: number,
): Promise<FrontendGuard> {
  const child = spawn(process.execPath, ['-e', PROGRAM, path, String(waitMs), ...names], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: '/sbin:/bin:/usr/sbin:/usr/bin', LC_ALL: 'C' },
    cwd: '/',
    detached: true,
  });
  child.unref();
  child.stdin.on('error', () => undefined);
  const ended = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error('nobody can be started to open the frontends again'));
    child.once('error', fail);
    child.once('exit', fail);
  });
  // Once it watches, its end is its own affair.
  ended.catch(() => undefined);
  const late = AbortSignal.timeout(READY_MS);
  const ready = once(child.stdout, 'data', { signal: late }).catch(() => {
    throw new Error(`who is to open the frontends again does not answer within ${READY_MS} ms`);
  });
  await Promise.race([ready, ended]);
  return {
    dismiss: () => void child.stdin.end('done\n'),
    release: () => void child.stdin.end(),
  };
}

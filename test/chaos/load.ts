import { request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { Attempt, Session } from './words.ts';

// The client of a chaos run, until SIGTERM:
//   node load.js VIP4 VIP6 NODE=ADDRESS...
// HTTP to one VIP, HTTPS to the other, HTTP to each host at its own address, which says whether that
// one could have served, and long sessions. Each end of one is a JSON line.

const [vip4 = '', vip6 = '', ...nodes] = process.argv.slice(2);
const TIMEOUT_MS = 1500;
const LONG_MS = 4000;
const now = (): number => performance.timeOrigin + performance.now();
const say = (what: Attempt | Session): void =>
  void process.stdout.write(`${JSON.stringify(what)}\n`);

/** Resolves with the node that answered; rejects where nobody did. */
function ask(host: string, path: string, tls: boolean, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      host,
      path,
      agent: false,
      headers: { host: 'www.example.net', connection: 'close' },
      rejectUnauthorized: false,
      servername: 'www.example.net',
    };
    const asked = (tls ? secure : plain)(options, (response) => {
      response.on('error', reject);
      response.on('end', () => {
        clearTimeout(timer);
        const node = response.headers['x-node'];
        if (response.statusCode === 200 && typeof node === 'string' && response.complete)
          resolve(node);
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
      response.resume();
    });
    // What arrived while this process waited for its turn is read before it counts as late.
    const timer = setTimeout(
      () => setImmediate(() => asked.destroy(new Error('timeout'))),
      timeoutMs,
    );
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}

/** One request after the other to `host`, a new connection each, begun every `everyMs`. */
function often(to: string, host: string, tls: boolean, everyMs: number): void {
  let dueMs = now();
  const tick = (): void => {
    const atMs = now();
    const lateMs = Math.max(0, Math.round(atMs - dueMs));
    dueMs = Math.max(dueMs + everyMs, atMs);
    const end = (by: string | null, why: string): void =>
      say({ atMs: Math.round(atMs), to, by, tookMs: Math.round(now() - atMs), why, lateMs });
    ask(host, '/plain/chaos', tls, TIMEOUT_MS).then(
      (by) => end(by, ''),
      (error: NodeJS.ErrnoException) => end(null, error.code ?? error.message),
    );
    setTimeout(tick, Math.max(0, dueMs - now()));
  };
  tick();
}

/** Long sessions, one after the other; who is refused comes back a little later. */
async function long(): Promise<void> {
  for (;;) {
    const atMs = Math.round(now());
    const whole = await ask(vip4, `/plain/slow/${LONG_MS}`, false, 4 * LONG_MS).then(
      () => true,
      () => false,
    );
    say({ atMs, tookMs: Math.round(now() - atMs), whole });
    if (!whole) await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

often('vip4', vip4, false, 50);
often('vip6', vip6, true, 150);
for (const one of nodes) {
  const [node = '', address = ''] = one.split('=');
  often(node, address, false, 150);
}
void long();
void long();
process.on('SIGTERM', () => process.exit(0));

import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';

// A client that opens 200 new connections a second and says what it saw, as one JSON line:
//   node probe.js HOST SECONDS [tls|plain] [follow]
// SIGTERM ends it early. With `follow`, standard error has one line for every connection that
// ended: the node that answered, or how it failed.
const [host = '', seconds = '', kind = 'plain', follow = ''] = process.argv.slice(2);
const INTERVAL_MS = 5;
const TIMEOUT_MS = 500;

type Failure = 'refused' | 'reset' | 'timeout' | 'tls' | 'http';
interface Attempt {
  readonly startMs: number;
  /** Who answered, or how it failed. */
  outcome: { readonly node: string; readonly server: string } | { readonly failure: Failure };
}

const beganMs = performance.now();
const from = new Date();
const attempts: Attempt[] = [];
let open = 0;

function attempt(): Promise<void> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    let text = '';
    let settled = false;
    const secure = kind === 'tls';
    const socket = secure
      ? connectTls({ host, port: 443, servername: 'www.example.net', rejectUnauthorized: false })
      : connect({ host, port: 80 });
    const settle = (outcome: Attempt['outcome']): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      socket.destroy();
      attempts.push({ startMs, outcome });
      if (follow !== '')
        process.stderr.write(`${'node' in outcome ? outcome.node : outcome.failure}\n`);
      resolve();
    };
    const timer = setTimeout(() => settle({ failure: 'timeout' }), TIMEOUT_MS);
    let shaken = !secure;
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      shaken = true;
      socket.write(
        'GET /plain/probe HTTP/1.1\r\nHost: www.example.net\r\nConnection: close\r\n\r\n',
      );
    });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') settle({ failure: 'refused' });
      else if (error.code === 'ECONNRESET' || error.code === 'EPIPE') settle({ failure: 'reset' });
      else settle({ failure: shaken ? 'reset' : secure ? 'tls' : 'timeout' });
    });
    socket.on('close', () => {
      const node = /^x-node: (\S+)\r$/im.exec(text)?.[1];
      const server = /^x-server: (\S+)\r$/im.exec(text)?.[1] ?? '';
      if (/^HTTP\/1\.1 2\d\d /.test(text) && node !== undefined) settle({ node, server });
      else settle({ failure: text === '' ? 'reset' : 'http' });
    });
  });
}

let total = Math.round((Number(seconds) * 1000) / INTERVAL_MS);
let started = 0;
process.on('SIGTERM', () => (total = Math.min(total, started)));
await new Promise<void>((resolve) => {
  const tick = (): void => {
    // Late ticks catch up, so that the number of connections stays what was promised.
    while (started < total && performance.now() - beganMs >= started * INTERVAL_MS) {
      started++;
      open++;
      const ended = (): void => {
        open--;
        if (started >= total && open === 0) resolve();
      };
      void attempt().then(ended);
    }
    if (started >= total && open === 0) resolve();
    else if (started < total)
      setTimeout(tick, Math.max(0, beganMs + started * INTERVAL_MS - performance.now()));
  };
  tick();
});

attempts.sort((a, b) => a.startMs - b.startMs);
const failures: Record<Failure, number> = { refused: 0, reset: 0, timeout: 0, tls: 0, http: 0 };
const by: Record<string, number> = {};
const servers: Record<string, number> = {};
const gaps: { at_ms: number; ms: number }[] = [];
let lastOkMs: number | null = null;
let failedSince = false;
for (const { startMs, outcome } of attempts) {
  if ('failure' in outcome) {
    failures[outcome.failure]++;
    failedSince = true;
    continue;
  }
  by[outcome.node] = (by[outcome.node] ?? 0) + 1;
  servers[outcome.server] = (servers[outcome.server] ?? 0) + 1;
  // The time between the starts of two successive successes around a failure, less the interval.
  if (failedSince) {
    const since = lastOkMs ?? beganMs;
    gaps.push({ at_ms: ms(since - beganMs), ms: ms(startMs - since - INTERVAL_MS) });
  }
  failedSince = false;
  lastOkMs = startMs;
}
if (failedSince) {
  // Still dark at the end: at least this long.
  const since = lastOkMs ?? beganMs;
  gaps.push({ at_ms: ms(since - beganMs), ms: ms(performance.now() - since - INTERVAL_MS) });
}
const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
const result = {
  seconds: ms((started * INTERVAL_MS) / 1000),
  sent: attempts.length,
  ok: attempts.length - failed,
  failed,
  failures,
  by,
  servers,
  longest_gap_ms: Math.max(0, ...gaps.map((gap) => gap.ms)),
  gaps,
  from: from.toISOString(),
  to: new Date().toISOString(),
};
process.stdout.write(`${JSON.stringify(result)}\n`);

function ms(value: number): number {
  return Math.round(value * 10) / 10;
}

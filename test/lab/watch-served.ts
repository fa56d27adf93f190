import { connect } from 'node:tls';

// What a TLS client is served, handshake after handshake at each address, until SIGTERM:
//   node watch-served.js SERVERNAME HOST...
// Prints {"failed": [...], "runs": [{host, sha1, first_ms, last_ms, count}]}: handshakes in a row
// with one certificate; first_ms is when the first of them ended, last_ms when the last began.
interface Run {
  readonly host: string;
  readonly sha1: string;
  readonly first_ms: number;
  last_ms: number;
  count: number;
}

const [servername = '', ...hosts] = process.argv.slice(2);
const runs: Run[] = [];
const failed: string[] = [];
const stop = new AbortController();

const handshake = (host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, servername, rejectUnauthorized: false });
    socket.setTimeout(5000, () => socket.destroy(new Error('no handshake within 5 s')));
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      const { fingerprint } = socket.getPeerCertificate();
      socket.destroy();
      resolve(fingerprint.replaceAll(':', '').toLowerCase());
    });
  });

async function watch(host: string): Promise<void> {
  let run: Run | undefined;
  while (!stop.signal.aborted) {
    const began = Date.now();
    try {
      const sha1 = await handshake(host);
      if (run?.sha1 !== sha1) {
        run = { host, sha1, first_ms: Date.now(), last_ms: began, count: 0 };
        runs.push(run);
      }
      run.last_ms = began;
      run.count++;
    } catch (error) {
      failed.push(`${host} at ${began}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

process.on('SIGTERM', () => stop.abort());
const ends = Promise.all(hosts.map(watch));
process.stderr.write('watching\n');
await ends;
process.stdout.write(`${JSON.stringify({ failed, runs })}\n`);

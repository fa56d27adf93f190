import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { issue } from '../certs/bundles.ts';
import { inside } from './lab.ts';
import type { LabReport } from './report.ts';

/** An ACME CA in the place of the lab's client: it asks port 80 of the shared addresses. */
export interface Pebble {
  /** Of the directory, as a client on a host names it. */
  readonly directory: string;
  /** PEM of the CA that signed the directory's own certificate. */
  readonly ca: string;
  /** What it says, for a failure's message. */
  log(): string;
  end(): Promise<void>;
}

const HOST = '10.1.60.1';
const PORT = 14000;

/** Which of these programs are not installed. */
export const missing = (...programs: readonly string[]): string[] =>
  programs.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);

/**
 * Starts Debian's pebble and its name server, for which every name is both shared
 * addresses of the lab. Rejects with what pebble said where it does not come up.
 */
export async function startPebble(lab: LabReport): Promise<Pebble> {
  const at = (name: string): string => join(lab.runtime, name);
  const validity = {
    notBefore: new Date(Date.now() - 86_400_000).toISOString(),
    notAfter: new Date(Date.now() + 86_400_000).toISOString(),
  };
  const ca = await issue({ subject: 'CN=pebble CA', ca: true, ...validity });
  const own = await issue({ subject: 'CN=pebble', issuer: ca, names: [{ ip: HOST }], ...validity });
  writeFileSync(at('pebble-ca.pem'), ca.certificate);
  writeFileSync(at('pebble.pem'), own.certificate);
  writeFileSync(at('pebble.key'), own.key, { mode: 0o600 });
  writeFileSync(
    at('pebble.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `${HOST}:${PORT}`,
        managementListenAddress: '127.0.0.1:15000',
        certificate: at('pebble.pem'),
        privateKey: at('pebble.key'),
        httpPort: 80,
        tlsPort: 443,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      },
    }),
  );
  let said = '';
  const start = (argv: readonly string[]) => {
    const [file = '', ...args] = inside(lab, 'client', argv);
    // Without its pauses, its refusals at random, and authorizations that need no question any more.
    const env = {
      ...process.env,
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_AUTHZREUSE: '0',
      PEBBLE_WFE_NONCEREJECT: '0',
    };
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-8000)));
    return { child, closed: once(child, 'close') };
  };
  const answers = ['-defaultIPv4', lab.vip4, '-defaultIPv6', lab.vip6];
  const off = ['http01', 'https01', 'tlsalpn01'].flatMap((name) => [`-${name}`, '']);
  const ports = ['-dns01', ':8053', '-management', '127.0.0.1:8055'];
  const names = start(['pebble-challtestsrv', ...ports, ...off, ...answers]);
  const server = start(['pebble', '-config', at('pebble.json'), '-dnsserver', '127.0.0.1:8053']);
  const end = async (): Promise<void> => {
    for (const { child } of [names, server]) child.kill('SIGKILL');
    await Promise.all([names.closed, server.closed]);
  };
  for (const endMs = Date.now() + 10_000; Date.now() < endMs;) {
    if (server.child.exitCode !== null) break;
    if (said.includes('ACME directory available')) {
      const directory = `https://${HOST}:${PORT}/dir`;
      return { directory, ca: at('pebble-ca.pem'), log: () => said, end };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await end();
  throw new Error(`pebble does not come up: ${said}`);
}

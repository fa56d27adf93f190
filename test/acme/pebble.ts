import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { issue } from '../certs/bundles.ts';

/** An ACME CA on 127.0.0.1, for which every name is 127.0.0.1. */
export interface LocalPebble {
  readonly directory: string;
  /** PEM. */
  readonly ca: string;
  /** Where it asks for tokens. */
  readonly httpPort: number;
  end(): Promise<void>;
}

/** Debian's pebble with files in `folder`; it refuses every twentieth nonce. Rejects with what it said. */
export async function localPebble(folder: string): Promise<LocalPebble> {
  const at = (name: string): string => join(folder, name);
  const [port, management, httpPort, dns, dnsManagement] = await Promise.all(
    Array.from({ length: 5 }, freePort),
  );
  const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const times = { notBefore: day(-1), notAfter: day(1) };
  const root = await issue({ subject: 'CN=pebble CA', ca: true, ...times });
  const names = [{ ip: '127.0.0.1' }];
  const own = await issue({ subject: 'CN=pebble', issuer: root, names, ...times });
  writeFileSync(at('pebble.pem'), own.certificate);
  writeFileSync(at('pebble.key'), own.key, { mode: 0o600 });
  const pebble = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: at('pebble.pem'),
    privateKey: at('pebble.key'),
    httpPort,
    tlsPort: httpPort,
  };
  writeFileSync(at('pebble.json'), JSON.stringify({ pebble }));
  const env = {
    ...process.env,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_AUTHZREUSE: '0',
    // Per cent.
    PEBBLE_WFE_NONCEREJECT: '5',
  };
  let said = '';
  const start = (file: string, args: readonly string[]): ChildProcess => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-8000)));
    return child;
  };
  const off = ['http01', 'https01', 'tlsalpn01'].flatMap((name) => [`-${name}`, '']);
  const ports = ['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${dnsManagement}`];
  const answers = ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''];
  const children = [
    start('pebble-challtestsrv', [...ports, ...off, ...answers]),
    start('pebble', ['-config', at('pebble.json'), '-dnsserver', `127.0.0.1:${dns}`]),
  ];
  const end = async (): Promise<void> => {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGKILL');
        await once(child, 'close');
      }),
    );
  };
  for (const endMs = Date.now() + 10_000; Date.now() < endMs;) {
    if (said.includes('ACME directory available')) {
      const directory = `https://127.0.0.1:${port}/dir`;
      return { directory, ca: root.certificate, httpPort: httpPort ?? 0, end };
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await end();
  throw new Error(`pebble does not come up: ${said}`);
}

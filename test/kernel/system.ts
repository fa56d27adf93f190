import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** The link-local IPv6 address of a device; undefined while it has none. */
export function linkLocal(device: string): string | undefined {
  const known = linkLocals.get(device);
  if (known !== undefined) return known;
  const text = execFileSync('ip', ['-o', '-6', 'addr', 'show', 'dev', device, 'scope', 'link'], {
    encoding: 'utf8',
  });
  const found = /inet6 (fe80:\S+)\/64/.exec(text)?.[1];
  if (found !== undefined) linkLocals.set(device, found);
  return found;
}
/** The physical MAC of a device. Throws where there is no such device. */
export function macOf(device: string): string {
  const known = macs.get(device);
  if (known !== undefined) return known;
  const text = execFileSync('ip', ['-o', 'link', 'show', 'dev', device], { encoding: 'utf8' });
  const found = /link\/ether (\S+)/.exec(text)?.[1];
  if (found === undefined) throw new Error(`${device} has no MAC`);
  macs.set(device, found);
  return found;
}
const macs = new Map<string, string>();

const linkLocals = new Map<string, string>();

/** Follows the carrier of every device: a pulled cable shows within a few ms. */
export function watchLinks(onLink: (device: string, up: boolean) => void): void {
  const child = spawn('ip', ['-o', 'monitor', 'link'], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, device, flags] = /^\d+: ([^@:]+)(?:@\S+)?: <([^>]*)>/.exec(line) ?? [];
    if (device !== undefined && flags !== undefined)
      onLink(device, flags.split(',').includes('LOWER_UP'));
  });
  process.on('exit', () => child.kill());
}

/** A stream socket at `path` with that mode, in the place of a stale one. Rejects when it cannot be bound. */
export function listenOn(
  path: string,
  accept: (client: Socket) => void,
  mode = 0o600,
): Promise<void> {
  rmSync(path, { force: true });
  const server = createServer((client) => {
    client.on('error', () => undefined);
    accept(client);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      chmodSync(path, mode);
      resolve();
    });
  });
}

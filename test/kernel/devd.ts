import { once } from 'node:events';
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** devd(8) tells so many clients (-l, FreeBSD sbin/devd/devd.cc). */
const PLACES = 10;

/**
 * devd(8)'s pipe as seen on 12.1: ten clients are told of events; the eleventh
 * connects, waits in the listen queue and hears nothing; the next are refused.
 * Whoever goes makes room for who waits. After `stop` the socket file stays.
 */
export function devdPipe(path: string) {
  const told = new Set<Socket>();
  let places = PLACES;
  let waiting: Socket | null = null;
  let server: Server | null = null;
  let running = false;

  async function listen(): Promise<void> {
    // Node removes the file that it bound when it closes, and devd does not: it is bound elsewhere.
    const bound = `${path}.bound`;
    rmSync(bound, { force: true });
    server = createServer(accept).listen(bound);
    await once(server, 'listening');
    // Anybody may read it.
    chmodSync(bound, 0o666);
    renameSync(bound, path);
  }

  function refuse(): void {
    server?.close();
    server = null;
  }

  function accept(client: Socket): void {
    client.on('error', () => undefined);
    client.on('close', () => gone(client));
    client.resume();
    if (told.size < places) told.add(client);
    else if (waiting === null) {
      waiting = client;
      refuse();
    } else client.destroy();
  }

  function gone(client: Socket): void {
    told.delete(client);
    if (waiting === client) waiting = null;
    else if (waiting !== null && told.size < places) {
      told.add(waiting);
      waiting = null;
    }
    if (running && waiting === null && server === null) void listen();
  }

  return {
    /** Listens, with so many places that are not taken by others. */
    start(left = PLACES): Promise<void> {
      [running, places] = [true, left];
      return listen();
    },
    stop(): void {
      running = false;
      refuse();
      for (const client of told) client.destroy();
      waiting?.destroy();
    },
    tell(line: string): void {
      for (const client of told) client.write(`${line}\n`);
    },
  };
}

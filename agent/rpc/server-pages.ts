import type { ServerReading } from '../core/answers.ts';
import { PAGE, serverToWire } from '../wire/servers.ts';

/** How long the pages of one reading can be asked for, ms. */
const KEEP_MS = 5000;

/**
 * Readings of servers in pages: the first page reads, later ones are of the
 * same reading, which is kept a few seconds for whoever asked.
 */
export function serverPages(
  read: (instance: string, backend: string) => Promise<readonly ServerReading[]>,
  nowMs: () => number,
) {
  const kept = new Map<
    string,
    { readonly atMs: number; readonly servers: readonly ServerReading[] }
  >();
  return async (who: string, instance: string, backend: string, offset: number) => {
    const name = `${who}\0${instance}\0${backend}`;
    for (const [key, { atMs }] of kept) if (nowMs() - atMs > KEEP_MS) kept.delete(key);
    const before = offset === 0 ? undefined : kept.get(name)?.servers;
    const servers = before ?? (await read(instance, backend));
    const more = servers.length > offset + PAGE;
    if (more) kept.set(name, { atMs: nowMs(), servers });
    else kept.delete(name);
    return { servers: servers.slice(offset, offset + PAGE).map(serverToWire), more };
  };
}

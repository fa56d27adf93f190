import type { TlsBind } from '../haproxy/tls-binds.ts';
import { crtListEntries, isStoreName } from '../haproxy/crt-list.ts';
import { HandshakeError, servedFingerprint } from './handshake.ts';
import type { ListenerPlace } from './listener-place.ts';
import type { HaproxyCertificates, Listener } from './port.ts';

export interface ListenerSources {
  /** Of every file that HAProxy was started with. */
  readonly binds: () => Promise<{ readonly binds: readonly TlsBind[]; readonly crtBase: string }>;
  readonly haproxy: Pick<HaproxyCertificates, 'paths' | 'listed'>;
  /** The text of a crt-list. */
  readonly readList: (path: string) => Promise<string>;
  /** VIPs that this node does not hold now: a connection there reaches another node. */
  readonly elsewhere: () => readonly string[];
}

const HANDSHAKE_MS = 2000;

/** The listeners of this host that serve TLS, with the certificates that HAProxy has loaded for each. */
export async function listenersOf(sources: ListenerSources): Promise<Listener[]> {
  const { binds, crtBase } = await sources.binds();
  const loaded = await sources.haproxy.paths();
  const away = sources.elsewhere();
  const lists = new Map<string, Listener['holds']>();
  for (const list of new Set(binds.flatMap((one) => one.lists)))
    lists.set(list, await holdsOf(sources, list, crtBase));
  return binds.map((bind) => ({
    name: `${bind.section} (${bind.address})`,
    place: { host: localHost(bind.host), port: bind.port ?? 0, unix: bind.unix, proxy: bind.proxy },
    barrier: away.includes(bind.host) ? `${bind.host} is on another node now` : bind.barrier,
    wantsClient: bind.wantsClient,
    hint: bind.hint,
    lists: bind.lists,
    holds: [
      ...bind.crts.flatMap((crt) =>
        loaded.filter((path) => loads(crt, path)).map((path) => ({ path, filters: [] })),
      ),
      ...bind.lists.flatMap((list) => lists.get(list) ?? []),
    ],
  }));
}

/** As HAProxy has the list in memory; where it does not say, as its file is. */
async function holdsOf(
  { haproxy, readList }: ListenerSources,
  list: string,
  crtBase: string,
): Promise<Listener['holds']> {
  const entries = await haproxy.listed(list).catch(() => []);
  if (entries.length > 0) return entries.map(({ path, filters }) => ({ path, filters }));
  const text = await readList(list).catch(() => '');
  return crtListEntries(text, crtBase).map(({ path, names }) => ({ path, filters: names }));
}

/** Whether `crt` loads `path`: itself, a file of a directory, or one of a pair by kind of key. */
const loads = (crt: string, path: string): boolean =>
  crt === path ||
  (!isStoreName(path) && path.startsWith(`${crt}/`)) ||
  crt === path.replace(/\.(?:rsa|ecdsa|dsa)$/, '');

function localHost(host: string): string {
  if (host === '' || host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** Asks a listener as a client would; where a PROXY header may be wanted, with one too. */
export async function askListener(
  { proxy, ...place }: ListenerPlace,
  servername: string | null,
  keyType: string,
): Promise<string> {
  const target = { ...place, servername, keyType, timeoutMs: HANDSHAKE_MS };
  if (proxy !== 'maybe') return servedFingerprint({ ...target, proxy: proxy === 'yes' });
  try {
    return await servedFingerprint(target);
  } catch (error) {
    if (error instanceof HandshakeError && error.alert) throw error;
    return servedFingerprint({ ...target, proxy: true });
  }
}

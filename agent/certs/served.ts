import { servedFingerprint } from './handshake.ts';
import { serverNameFor } from './names.ts';
import type { ConfigScan, TlsListener } from '../haproxy/config-scan.ts';
import { crtListEntries, isStoreName } from '../haproxy/crt-list.ts';

export interface ServedSources {
  /** haproxy.conf as it is now. */
  readonly scan: () => Promise<ConfigScan>;
  /** The text of a crt-list. */
  readonly readList: (path: string) => Promise<string>;
  /** VIPs that this node does not hold now: a connection there reaches another node. */
  readonly elsewhere: () => readonly string[];
  /** The key of a loaded certificate as HAProxy names it, "RSA2048". */
  readonly algorithm: (path: string) => Promise<string>;
}

const HANDSHAKE_MS = 2000;

/**
 * SHA-1 (lower case hex) of what a client of a local listener with the certificate `path` gets for
 * one of `names`; null where no listener is known. Where that is not `expected`, a client that
 * takes only its kind of key is asked for: RSA and ECDSA may be served under the same names.
 * `inList`: a crt-list that is known to have it, for `names`.
 */
export async function servedBy(
  sources: ServedSources,
  path: string,
  names: readonly string[],
  expected: string | null,
  inList?: string,
): Promise<string | null> {
  const found = await listenerOf(sources, path, inList);
  if (found === null) return null;
  const target = {
    host: localHost(found.listener),
    port: found.listener.port,
    servername: serverNameFor(found.names.length > 0 ? found.names : names),
    timeoutMs: HANDSHAKE_MS,
  };
  const shown = await servedFingerprint(target);
  if (expected === null || shown === expected) return shown;
  const keyType = /^[A-Z]+/.exec(await sources.algorithm(path))?.[0] ?? '';
  return servedFingerprint({ ...target, keyType }).catch(() => shown);
}

type Place = Pick<TlsListener, 'host' | 'port'>;

/** The first one that is reached on this host, and what it serves the certificate for: empty, its own names. */
async function listenerOf(
  { scan, readList, elsewhere }: ServedSources,
  path: string,
  inList: string | undefined,
): Promise<{ readonly listener: Place; readonly names: readonly string[] } | null> {
  const { listeners, lists, crtBase } = await scan();
  const away = elsewhere();
  const here = ({ host }: Place): boolean => !away.includes(host);
  const listener = listeners.find((one) => here(one) && loads(one.crt, path));
  if (listener !== undefined) return { listener, names: [] };
  for (const one of lists.filter(here)) {
    // Its file may not have the line yet.
    if (one.list === inList) return { listener: one, names: [] };
    const entries = crtListEntries(await readList(one.list), crtBase);
    const entry = entries.find((line) => loads(line.path, path));
    if (entry !== undefined) return { listener: one, names: entry.names };
  }
  return null;
}

/** Whether `crt` loads `path`: itself, a file of a directory, or one of a pair by kind of key. */
const loads = (crt: string, path: string): boolean =>
  crt === path ||
  (!isStoreName(path) && path.startsWith(`${crt}/`)) ||
  crt === path.replace(/\.(?:rsa|ecdsa|dsa)$/, '');

function localHost({ host }: Place): string {
  if (host === '' || host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

import { sectionsOf } from './config-text.ts';
import { withBase } from './crt-list.ts';

/** One `bind` line that serves TLS. */
export interface TlsListener {
  /** Empty or `*`: every address of its family. */
  readonly host: string;
  readonly port: number;
  /** As HAProxy names the certificate: `crt-base` applied. */
  readonly crt: string;
}

/** What may be read from haproxy.conf without being HAProxy. */
export interface ConfigScan {
  /** Path of the first `stats socket` of level admin in `global`; null for none. */
  readonly socket: string | null;
  readonly listeners: readonly TlsListener[];
  /** Files that `crt-list` names on `bind` lines, each once. */
  readonly crtLists: readonly string[];
  /** Empty: none. */
  readonly crtBase: string;
}

/** The path in `/var/run/haproxy.sock` or `unix@/…`; null for a TCP or abstract socket. */
export const unixPath = (address: string): string | null =>
  /^(?:unix@)?(\/.+)$/.exec(address)?.[1] ?? null;

/**
 * Scans the text of haproxy.conf for the stats socket and the TLS listeners.
 * Only these: everything else is asked of the running HAProxy.
 */
export function scanConfig(text: string): ConfigScan {
  let crtBase = '';
  let socket: string | null = null;
  const listeners: TlsListener[] = [];
  const crtLists = new Set<string>();
  for (const { kind, lines } of sectionsOf(text))
    for (const { words } of lines) {
      const [first = '', second = '', third = ''] = words;
      if (kind === 'global' && first === 'crt-base') crtBase = second;
      if (kind === 'global' && first === 'stats' && second === 'socket' && socket === null)
        if (words.join(' ').includes('level admin')) socket = unixPath(third);
      if ((kind === 'frontend' || kind === 'listen') && first === 'bind') {
        listeners.push(...listener(words, crtBase));
        for (const list of after(words, 'crt-list')) crtLists.add(list);
      }
    }
  return { socket, listeners, crtLists: [...crtLists], crtBase };
}

/** What stands behind each `word`. */
const after = (words: readonly string[], word: string): string[] =>
  words.flatMap((one, at) => (one === word ? words.slice(at + 1, at + 2) : []));

/** One `bind` line may name several addresses and several certificates. */
function listener(words: readonly string[], crtBase: string): TlsListener[] {
  if (!words.includes('ssl')) return [];
  const certificates = after(words, 'crt').map((crt) => withBase(crt, crtBase));
  return (words[1] ?? '').split(',').flatMap((address) => {
    const [, host, port] = /^(?:ipv[46]@)?([^@]*):(\d+)$/.exec(address) ?? [];
    if (host === undefined) return [];
    const place = { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
    return certificates.map((crt) => ({ ...place, crt }));
  });
}

/**
 * Names of the backends all of whose servers are at one of these addresses
 * (HOST:PORT or [HOST]:PORT). Server lines with other forms of address count as others.
 */
export function backendsAt(text: string, addresses: readonly string[]): ReadonlySet<string> {
  const plain = (address: string): string => address.replaceAll(/[[\]]|^ipv[46]@/g, '');
  const wanted = addresses.map(plain);
  const backends = sectionsOf(text).filter(({ kind }) => kind === 'backend');
  return new Set(
    backends.flatMap(({ lines }) => {
      const name = lines[0]?.words[1];
      const servers = lines.filter(({ words }) => words[0] === 'server');
      const own = servers.every(({ words }) => wanted.includes(plain(words[2] ?? '')));
      return name !== undefined && servers.length > 0 && own ? [name] : [];
    }),
  );
}

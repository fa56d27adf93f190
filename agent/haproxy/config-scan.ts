import { sectionsOf, type ConfigLine } from './config-text.ts';
import { withBase } from './crt-list.ts';
import { storeLoads, type StoreLoad } from './crt-store.ts';

/** One `bind` line that serves TLS. */
interface TlsListener {
  /** Empty or `*`: every address of its family. */
  readonly host: string;
  readonly port: number;
  /** As HAProxy names the certificate: `crt-base` applied. */
  readonly crt: string;
}

/** Which files HAProxy looks for beside a certificate: `ssl-load-extra-files`, `-del-ext`. */
export interface ExtraFiles {
  /** FILE.key, where the certificate's own file holds none. */
  readonly key: boolean;
  /** FILE.ocsp. */
  readonly ocsp: boolean;
  /** FILE.issuer. */
  readonly issuer: boolean;
  /** FILE.sctl. */
  readonly sctl: boolean;
  /** An ending `.crt` of FILE gives way: site.crt, site.key. */
  readonly insteadOfCrt: boolean;
}

/** What may be read from haproxy.conf without being HAProxy. */
export interface ConfigScan {
  /** Path of the first `stats socket` of level admin in `global`; null for none. */
  readonly socket: string | null;
  readonly listeners: readonly TlsListener[];
  /** Files that `crt-list` names on `bind` lines, each once. */
  readonly crtLists: readonly string[];
  /** Bind lines that serve TLS with a crt-list. */
  readonly lists: readonly (Omit<TlsListener, 'crt'> & { readonly list: string })[];
  /** Empty: none. */
  readonly crtBase: string;
  readonly extra: ExtraFiles;
  /** Certificates of crt-store sections. */
  readonly stores: readonly StoreLoad[];
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
  let keyBase = '';
  let socket: string | null = null;
  const listeners: TlsListener[] = [];
  const lists: ConfigScan['lists'][number][] = [];
  const crtLists = new Set<string>();
  const stores: StoreLoad[] = [];
  const sections = sectionsOf(text);
  for (const { kind, lines } of sections) {
    if (kind === 'crt-store') stores.push(...storeLoads(lines, crtBase, keyBase));
    for (const { words } of lines) {
      const [first = '', second = '', third = ''] = words;
      if (kind === 'global' && first === 'crt-base') crtBase = second;
      if (kind === 'global' && first === 'key-base') keyBase = second;
      if (kind === 'global' && first === 'stats' && second === 'socket' && socket === null)
        if (words.join(' ').includes('level admin')) socket = unixPath(third);
      if ((kind === 'frontend' || kind === 'listen') && first === 'bind') {
        const places = tlsPlaces(words);
        const certificates = after(words, 'crt').map((crt) => withBase(crt, crtBase));
        listeners.push(...places.flatMap((at) => certificates.map((crt) => ({ ...at, crt }))));
        const named = after(words, 'crt-list');
        for (const list of named) crtLists.add(list);
        lists.push(...places.flatMap((at) => named.map((list) => ({ ...at, list }))));
      }
    }
  }
  const globals = sections.filter(({ kind }) => kind === 'global').flatMap(({ lines }) => lines);
  return {
    socket,
    listeners,
    crtLists: [...crtLists],
    lists,
    crtBase,
    extra: extraFiles(globals),
    stores,
  };
}

/** All of them unless the last `ssl-load-extra-files` names others (configuration manual). */
function extraFiles(globals: readonly ConfigLine[]): ExtraFiles {
  const named = globals
    .findLast(({ words }) => words[0] === 'ssl-load-extra-files')
    ?.words.slice(1);
  const has = (kind: string): boolean =>
    named === undefined || named.includes('all') || named.includes(kind);
  return {
    key: has('key'),
    ocsp: has('ocsp'),
    issuer: has('issuer'),
    sctl: has('sctl'),
    insteadOfCrt: globals.some(({ words }) => words[0] === 'ssl-load-extra-del-ext'),
  };
}

/** What stands behind each `word`. */
const after = (words: readonly string[], word: string): string[] =>
  words.flatMap((one, at) => (one === word ? words.slice(at + 1, at + 2) : []));

/** One `bind` line may name several addresses; none where it serves no TLS over TCP. */
function tlsPlaces(words: readonly string[]): { host: string; port: number }[] {
  if (!words.includes('ssl')) return [];
  return (words[1] ?? '').split(',').flatMap((address) => {
    const [, host, port] = /^(?:ipv[46]@)?([^@]*):(\d+)$/.exec(address) ?? [];
    return host === undefined ? [] : [{ host: host.replace(/^\[|\]$/g, ''), port: Number(port) }];
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

import { dirname } from 'node:path';
import { isDisabled } from './config-servers.ts';
import {
  hasVariable,
  sectionsIn,
  type ConfigLine,
  type ConfigSection,
  type ConfigText,
} from '../core/haproxy-config/sections.ts';
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

/** A `bind` line that may or may not be there. */
interface UnknownBind extends Pick<ConfigLine, 'number' | 'text'> {
  /** Certificates and crt-lists on it whose path is certain. */
  readonly files: readonly string[];
}

/** What may be read from haproxy.conf without being HAProxy. */
export interface ConfigScan {
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
  /** Where files with relative names are (`default-path`); null: that is not known. */
  readonly directory: string | null;
  /** TLS `bind` lines of which only HAProxy can tell whether they hold, where, or with which files. */
  readonly unknown: readonly UnknownBind[];
}

/**
 * Scans the sections of the haproxy.conf at `path` for the TLS listeners.
 * Only these: everything else is asked of the running HAProxy. What stands in a condition or has
 * a variable in it is not known, and no listener.
 */
export function scanConfig(sections: readonly ConfigSection[], path = ''): ConfigScan {
  let crtBase = '';
  let keyBase = '';
  const listeners: TlsListener[] = [];
  const lists: ConfigScan['lists'][number][] = [];
  const crtLists = new Set<string>();
  const stores: StoreLoad[] = [];
  const unknown: UnknownBind[] = [];
  const globals = sections.filter(({ kind }) => kind === 'global').flatMap(({ lines }) => lines);
  const directory = defaultPath(globals, path);
  for (const section of sections) {
    const { kind, lines } = section;
    if (kind === 'crt-store') stores.push(...storeLoads(lines, { crtBase, keyBase, directory }));
    for (const line of lines) {
      const { words } = line;
      const [first = '', second = ''] = words;
      if (kind === 'global' && first === 'crt-base') crtBase = line.isGuarded ? '$' : second;
      if (kind === 'global' && first === 'key-base') keyBase = line.isGuarded ? '$' : second;
      if ((kind !== 'frontend' && kind !== 'listen') || first !== 'bind') continue;
      if (isDisabled(section)) continue;
      const places = tlsPlaces(words);
      const certificates = after(words, 'crt').map((crt) => withBase(crt, crtBase));
      const named = after(words, 'crt-list');
      const files = [...certificates, ...named];
      if (places.length > 0 && (line.isGuarded || [second, ...files].some(hasVariable))) {
        const certain = files.filter((file) => file.startsWith('/') && !hasVariable(file));
        unknown.push({ number: line.number, text: line.text, files: certain });
        continue;
      }
      listeners.push(...places.flatMap((at) => certificates.map((crt) => ({ ...at, crt }))));
      for (const list of named) crtLists.add(list);
      lists.push(...places.flatMap((at) => named.map((list) => ({ ...at, list }))));
    }
  }
  return {
    listeners,
    crtLists: [...crtLists],
    lists,
    crtBase,
    extra: extraFiles(globals),
    stores,
    directory,
    unknown,
  };
}

/** `default-path` (configuration manual 3.1): "config" and "parent" are of the file itself. */
function defaultPath(globals: readonly ConfigLine[], path: string): string | null {
  const line = globals.findLast(({ words }) => words[0] === 'default-path');
  const [, kind, origin = ''] = line?.words ?? [];
  if (line === undefined || line.isGuarded) return null;
  const folder = path.startsWith('/') ? dirname(path) : null;
  if (kind === 'config') return folder;
  if (kind === 'parent') return folder === null ? null : dirname(folder);
  return kind === 'origin' && origin.startsWith('/') && !hasVariable(origin) ? origin : null;
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
export function backendsAt(
  texts: readonly ConfigText[],
  addresses: readonly string[],
): ReadonlySet<string> {
  const plain = (address: string): string => address.replaceAll(/[[\]]|^ipv[46]@/g, '');
  const wanted = addresses.map(plain);
  const backends = sectionsIn(texts).filter(({ kind }) => kind === 'backend');
  return new Set(
    backends.flatMap(({ lines }) => {
      const name = lines[0]?.words[1];
      const servers = lines.filter(({ words }) => words[0] === 'server');
      const own = servers.every(({ words }) => wanted.includes(plain(words[2] ?? '')));
      return name !== undefined && servers.length > 0 && own ? [name] : [];
    }),
  );
}

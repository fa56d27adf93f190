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
}

/** Words that begin a section (HAProxy configuration manual, up to 3.4). */
const SECTIONS = new Set(
  (
    'global defaults frontend backend listen userlist peers resolvers cache mailers program ' +
    'http-errors ring fcgi-app log-forward log-profile crt-store acme traces'
  ).split(' '),
);

/** The path in `/var/run/haproxy.sock` or `unix@/…`; null for a TCP or abstract socket. */
const unixPath = (address: string): string | null =>
  /^(?:unix@)?(\/.+)$/.exec(address)?.[1] ?? null;

/**
 * Scans the text of haproxy.conf for the stats socket and the TLS listeners.
 * Only these: everything else is asked of the running HAProxy.
 */
export function scanConfig(text: string): ConfigScan {
  let section = '';
  let crtBase = '';
  let socket: string | null = null;
  const listeners: TlsListener[] = [];
  for (const line of text.split('\n')) {
    const words = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    const [first = '', second = '', third = ''] = words;
    if (SECTIONS.has(first)) section = first;
    if (section === 'global' && first === 'crt-base') crtBase = second;
    if (section === 'global' && first === 'stats' && second === 'socket' && socket === null)
      if (words.join(' ').includes('level admin')) socket = unixPath(third);
    if ((section === 'frontend' || section === 'listen') && first === 'bind')
      listeners.push(...listener(words, crtBase));
  }
  return { socket, listeners };
}

/** One `bind` line may name several addresses and several certificates. */
function listener(words: readonly string[], crtBase: string): TlsListener[] {
  if (!words.includes('ssl')) return [];
  const certificates = words.flatMap((word, at) => {
    const crt = words[at + 1];
    if (word !== 'crt' || crt === undefined) return [];
    return [crt.startsWith('/') || crtBase === '' ? crt : `${crtBase}/${crt}`];
  });
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
  const servers = new Map<string, boolean[]>();
  let name = '';
  for (const line of text.split('\n')) {
    const [first = '', second = '', third = ''] = line.trim().split(/\s+/);
    if (SECTIONS.has(first)) name = first === 'backend' ? second : '';
    if (name === '' || first !== 'server') continue;
    servers.set(name, [...(servers.get(name) ?? []), wanted.includes(plain(third))]);
  }
  return new Set([...servers].filter(([, own]) => own.every(Boolean)).map(([backend]) => backend));
}

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
    if (/^(global|defaults|frontend|backend|listen|userlist|peers|resolvers|cache)$/.test(first))
      section = first;
    if (section === 'global' && first === 'crt-base') crtBase = second;
    if (section === 'global' && first === 'stats' && second === 'socket' && socket === null)
      if (words.join(' ').includes('level admin')) socket = third.replace(/^unix@/, '');
    if ((section === 'frontend' || section === 'listen') && first === 'bind')
      listeners.push(...listener(words, crtBase));
  }
  return { socket, listeners };
}

function listener(words: readonly string[], crtBase: string): TlsListener[] {
  const address = (words[1] ?? '').replace(/^(ipv4|ipv6)@/, '');
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (host === undefined || !words.includes('ssl')) return [];
  return words.flatMap((word, at) => {
    const crt = words[at + 1];
    if (word !== 'crt' || crt === undefined) return [];
    const path = crt.startsWith('/') || crtBase === '' ? crt : `${crtBase}/${crt}`;
    return [{ host: host.replace(/^\[|\]$/g, ''), port: Number(port), crt: path }];
  });
}

import { isDisabled } from './config-servers.ts';
import { hasVariable, type ConfigSection } from '../core/haproxy-config/sections.ts';
import { unixPath } from './socket-line.ts';
import { withBase } from './crt-list.ts';

/** One address of a `bind` line that serves TLS. */
export interface TlsBind {
  /** "frontend web". */
  readonly section: string;
  /** As it stands there. */
  readonly address: string;
  /** Empty or `*`: every address of its family. */
  readonly host: string;
  /** Null: it is no TCP port that could be asked. */
  readonly port: number | null;
  /** Of a unix socket; null: it is none. */
  readonly unix: string | null;
  /** As HAProxy names the certificates, `crt-base` applied; directories too. */
  readonly crts: readonly string[];
  readonly lists: readonly string[];
  /** Whether it wants a PROXY header first; maybe: a rule decides by the client's address. */
  readonly proxy: 'no' | 'yes' | 'maybe';
  /** Why nobody can ask it from this host; empty: one may try. */
  readonly barrier: string;
  /** It shows its certificate and ends the connection of who has none: no handshake is finished. */
  readonly wantsClient: boolean;
  /** What explains that a handshake fails; empty: nothing that is known. */
  readonly hint: string;
}

const KINDS = ['frontend', 'listen', 'peers', 'log-forward'];

/** The listeners that serve TLS in the sections of haproxy.conf, those that cannot be asked too. */
export const tlsBinds = (sections: readonly ConfigSection[], crtBase: string): TlsBind[] =>
  sections
    .filter((section) => KINDS.includes(section.kind) && !isDisabled(section))
    .flatMap((section) => bindsOf(section, crtBase));

function bindsOf({ title, lines }: ConfigSection, crtBase: string): TlsBind[] {
  const rules = lines.filter(({ words }) => words[0] === 'tcp-request');
  const rejects = rules.some(({ words }) =>
    words.some((one) => /^(?:reject|silent-drop)$/.test(one)),
  );
  const expect = rules.filter(({ words }) => words.includes('expect-proxy'));
  const always = expect.some(({ words }) => !words.includes('if') && !words.includes('unless'));
  return lines.flatMap(({ words, isGuarded }) => {
    if (words[0] !== 'bind' || !words.includes('ssl')) return [];
    const after = (word: string): string[] =>
      words.flatMap((one, at) => (one === word ? words.slice(at + 1, at + 2) : []));
    const wantsClient = after('verify').at(-1) === 'required';
    const hints = [
      ...(wantsClient ? ['it wants a client certificate'] : []),
      ...(rejects ? ['its tcp-request rules refuse this host'] : []),
      ...after('interface').map((one) => `it listens on interface ${one} alone`),
    ];
    const crts = after('crt').map((crt) => withBase(crt, crtBase));
    const proxy =
      words.includes('accept-proxy') || always ? 'yes' : expect.length > 0 ? 'maybe' : 'no';
    return (words[1] ?? '').split(',').map((address) => {
      const place = placeOf(address);
      return {
        section: title,
        address,
        ...place,
        crts: crts.filter((crt) => !hasVariable(crt)),
        lists: after('crt-list').filter((list) => !hasVariable(list)),
        proxy,
        barrier: isGuarded
          ? 'it stands in a condition (.if): only HAProxy knows whether it is there'
          : words.includes('accept-netscaler-cip')
            ? 'it wants a NetScaler header first'
            : place.barrier,
        wantsClient,
        hint: hints.join(', '),
      };
    });
  });
}

/** configuration manual, `bind`: families before @, the last colon before the port, port ranges. */
function placeOf(address: string): Pick<TlsBind, 'host' | 'port' | 'unix' | 'barrier'> {
  const none = { host: '', port: null, unix: null };
  const unix = unixPath(address);
  if (unix !== null) return { ...none, unix, barrier: '' };
  if (address.includes('$'))
    return { ...none, barrier: 'its address is a variable of the environment' };
  const [, family = '', host, port] =
    /^(?:([a-z][a-z0-9+]*)@)?([^@]*):(\d+)(?:-\d+)?$/.exec(address) ?? [];
  if (host !== undefined && ['', 'ipv4', 'ipv6', 'tcp', 'tcp4', 'tcp6'].includes(family))
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), unix: null, barrier: '' };
  const [, kind = 'an address of another kind'] = /^([a-z][a-z0-9+]*)@/.exec(address) ?? [];
  return { ...none, barrier: `${address} cannot be connected to (${kind})` };
}

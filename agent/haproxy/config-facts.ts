import { createHash } from 'node:crypto';
import type { ConfigFacts } from '../core/doctor/inspection.ts';
import { unixPath } from './config-scan.ts';
import { sectionsOf, type ConfigLine, type ConfigSection } from './config-text.ts';

const CHALLENGE = '/.well-known/acme-challenge';

/**
 * What doctor needs of haproxy.conf, out of its text. The digests leave out
 * comments, spacing and the names of the pair's nodes (`nodes`), which rightly
 * differ between two hosts; no password leaves the host but within them.
 */
export function configFacts(path: string, text: string, nodes: readonly string[]): ConfigFacts {
  const sections = sectionsOf(text).filter(({ lines }) => lines.length > 0);
  const facing = sections.filter(({ kind }) => kind === 'frontend' || kind === 'listen');
  const digests = sections.map((section) => ({
    name: withoutNodes(section.title, nodes),
    digest: digestOf(section.lines, nodes),
  }));
  const plain = facing.find((section) => of(section, 'bind').some(isPlainHttp));
  return {
    path,
    digest: sha256(digests.map(({ digest }) => digest).join('\n')),
    sections: digests,
    sockets: sections.filter(({ kind }) => kind === 'global').flatMap(sockets),
    servers: servers(sections),
    tables: sections.flatMap(tables),
    peers: sections.flatMap(({ kind, lines }) =>
      kind === 'peers' ? (lines[0]?.words.slice(1, 2) ?? []) : [],
    ),
    hosts: facing.filter(servesTls).flatMap(hosts),
    acme: facing.flatMap(routes),
    plain: plain === undefined ? null : { section: plain.title, line: plain.number },
  };
}

const of = ({ lines }: ConfigSection, first: string): ConfigLine[] =>
  lines.filter(({ words }) => words[0] === first);

const withoutNodes = (text: string, nodes: readonly string[]): string =>
  nodes.reduce((rest, node) => rest.replaceAll(node, 'NODE'), text);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function digestOf(lines: readonly ConfigLine[], nodes: readonly string[]): string {
  const text = lines.map(({ words }) => `${words.join('\0')}\n`).join('');
  return sha256(withoutNodes(text, nodes));
}

/** Level operator is HAProxy's own default (configuration manual, `stats socket`). */
const sockets = (section: ConfigSection): ConfigFacts['sockets'] =>
  of(section, 'stats').flatMap(({ words, number, text }) => {
    const path = unixPath(words[2] ?? '');
    if (words[1] !== 'socket' || path === null) return [];
    return [{ path, level: after(words, 'level') ?? 'operator', line: number, text }];
  });

const after = (words: readonly string[], word: string): string | null => {
  const at = words.indexOf(word);
  return at < 0 ? null : (words[at + 1] ?? null);
};

function servers(sections: readonly ConfigSection[]): ConfigFacts['servers'] {
  const found: ConfigFacts['servers'] = [];
  let inherited = false;
  for (const section of sections) {
    const defaults = checks(of(section, 'default-server'));
    if (section.kind === 'defaults') inherited = defaults ?? false;
    if (section.kind !== 'backend' && section.kind !== 'listen') continue;
    for (const line of of(section, 'server')) {
      const [, name = '', address = ''] = line.words;
      found.push({
        backend: section.title.split(' ')[1] ?? '',
        name,
        ...placeOf(address),
        check: checks([line]) ?? defaults ?? inherited,
        line: line.number,
        text: line.text,
      });
    }
  }
  return found;
}

/** Whether these lines ask for checks; null where they say nothing of it. */
function checks(lines: readonly ConfigLine[]): boolean | null {
  const words = lines.flatMap((line) => line.words);
  if (words.includes('no-check')) return false;
  return words.includes('check') || words.includes('track') ? true : null;
}

/** HOST and port of a server's address; no host for a unix socket. The last colon counts. */
function placeOf(address: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(?:ipv[46]@)?(.+):(\d+)$/.exec(address) ?? [];
  if (/^(unix@|abns@|fd@|\/)/.test(host)) return { host: '', port: 0 };
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

const tables = (section: ConfigSection): ConfigFacts['tables'] =>
  of(section, 'stick-table').map(({ words, number, text }) => ({
    section: section.title,
    line: number,
    text,
    peers: after(words, 'peers'),
  }));

const servesTls = (section: ConfigSection): boolean =>
  of(section, 'bind').some(({ words }) => words.includes('ssl'));

const isPlainHttp = ({ words }: ConfigLine): boolean =>
  !words.includes('ssl') && (words[1] ?? '').endsWith(':80');

/** Names in `hdr(host)` and `ssl_fc_sni` matches that stand for themselves: no files, no patterns. */
const hosts = (section: ConfigSection): ConfigFacts['hosts'] =>
  section.lines.flatMap(({ words, number }) =>
    words.flatMap((word, at) => {
      if (!/^(?:req\.)?(?:hdr\(host\)|ssl_fc_sni)(?:,.*)?$/.test(word)) return [];
      const rest = words.slice(at + 1);
      const end = rest.findIndex((one) => /^(?:\}|\|\||or)$/.test(one));
      const patterns = end < 0 ? rest : rest.slice(0, end);
      if (patterns.some((one) => one === '-f' || one === '-m')) return [];
      return patterns
        .filter((one) => /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(one))
        .map((name) => ({ name, section: section.title, line: number }));
    }),
  );

/** `use_backend` lines for the challenge, with the path in place or behind an acl. */
function routes(section: ConfigSection): ConfigFacts['acme'] {
  const isChallenge = (word: string): boolean => word.startsWith(CHALLENGE);
  const acls = of(section, 'acl')
    .filter(({ words }) => words.some(isChallenge))
    .map(({ words }) => words[1] ?? '');
  return of(section, 'use_backend')
    .filter(({ words }) => words.some((word) => isChallenge(word) || acls.includes(word)))
    .map(({ words, number }) => ({
      section: section.title,
      line: number,
      backend: words[1] ?? '',
    }));
}

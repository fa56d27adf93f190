import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConfigFacts } from '../core/doctor/inspection.ts';
import { scanConfig } from './config-scan.ts';
import { isDisabled, servers } from './config-servers.ts';
import {
  hasVariable,
  sectionsIn,
  type ConfigLine,
  type ConfigSection,
  type ConfigText,
} from '../core/haproxy-config/sections.ts';
import { ownPlaces } from './own-places.ts';
import { unixPath } from './socket-line.ts';
import { othersTurn } from '../sys/turn.ts';

const CHALLENGE = '/.well-known/acme-challenge';

/**
 * What doctor needs of the files that HAProxy was started with, out of their texts; `path` is the
 * one of agent.toml where it is among them, else the first. The digests leave out comments,
 * spacing, which file it is, and the names of the pair's nodes (`nodes`), which rightly differ
 * between two hosts; no password leaves the host but within them.
 */
export async function configFacts(
  configured: string,
  texts: readonly ConfigText[],
  nodes: readonly string[],
): Promise<ConfigFacts> {
  const path = texts.some(({ file }) => file === configured)
    ? configured
    : (texts[0]?.file ?? configured);
  const at = (line: Pick<ConfigLine, 'file' | 'number'>) => placeOf(path, line);
  const sections = sectionsIn(texts).filter(({ lines }) => lines.length > 0);
  const facing = sections.filter(
    (section) => /^(?:frontend|listen)$/.test(section.kind) && !isDisabled(section),
  );
  const digests = sections.map((section) => ({
    name: withoutNodes(section.title, nodes),
    digest: digestOf(section.lines, nodes),
  }));
  // Thousands of servers: others have their turn before and after.
  await othersTurn();
  const isOwn = ownPlaces(sections);
  const known = await servers(sections, at, isOwn);
  await othersTurn();
  const plain = facing.find((section) => certain(section, 'bind').some(isPlainHttp));
  const [header] = plain?.lines ?? [];
  // A certificate that is not known may be for any name.
  const isAllKnown = scanConfig(sections).unknown.length === 0;
  return {
    path,
    digest: sha256(digests.map(({ digest }) => digest).join('\n')),
    sections: digests,
    sockets: sections
      .filter(({ kind }) => kind === 'global')
      .flatMap((section) => sockets(section, at)),
    servers: known,
    tables: tables(sections, at),
    peers: sections.flatMap(({ kind, lines }) =>
      kind === 'peers' ? (lines[0]?.words.slice(1, 2) ?? []) : [],
    ),
    hosts: isAllKnown ? facing.filter(servesTls).flatMap((section) => hosts(section, at)) : [],
    acme: facing.flatMap((section) => routes(section, at)),
    plain:
      plain === undefined || header === undefined ? null : { section: plain.title, ...at(header) },
  };
}

/** Says where a line stands: the file only where it is not the one of which everything else is. */
type At = (line: Pick<ConfigLine, 'file' | 'number'>) => { line: number; file?: string };

const placeOf = (path: string, { file, number }: Parameters<At>[0]): ReturnType<At> =>
  file === path ? { line: number } : { line: number, file };

const of = ({ lines }: ConfigSection, first: string): ConfigLine[] =>
  lines.filter(({ words }) => words[0] === first);

/** The same, but what stands in a condition. */
const certain = (section: ConfigSection, first: string): ConfigLine[] =>
  of(section, first).filter(({ isGuarded }) => !isGuarded);

const withoutNodes = (text: string, nodes: readonly string[]): string =>
  nodes.reduce((rest, node) => rest.replaceAll(node, 'NODE'), text);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function digestOf(lines: readonly ConfigLine[], nodes: readonly string[]): string {
  const text = lines.map(({ words }) => `${words.join('\0')}\n`).join('');
  return sha256(withoutNodes(text, nodes));
}

/** Level operator is HAProxy's own default (configuration manual, `stats socket`). */
const sockets = (section: ConfigSection, at: At): ConfigFacts['sockets'] =>
  of(section, 'stats').flatMap((line) => {
    const { words, text, isGuarded } = line;
    const [, second, address = ''] = words;
    const isUnknown = isGuarded || words.some(hasVariable);
    const path = unixPath(address) ?? (hasVariable(address) ? address : null);
    if (second !== 'socket' || path === null) return [];
    const level = isUnknown ? 'unknown' : (after(words, 'level') ?? 'operator');
    return [{ path, level, ...at(line), text }];
  });

const after = (words: readonly string[], word: string): string | null => {
  const at = words.indexOf(word);
  return at < 0 ? null : (words[at + 1] ?? null);
};

/** Tables by which clients stick to servers: those that only count clients begin anew without harm. */
function tables(sections: readonly ConfigSection[], at: At): ConfigFacts['tables'] {
  const sticks = sections.flatMap((section) =>
    of(section, 'stick').map(({ words }) => after(words, 'table') ?? section.title.split(' ')[1]),
  );
  return sections.flatMap((section) => {
    if (isDisabled(section) || !sticks.includes(section.title.split(' ')[1])) return [];
    return certain(section, 'stick-table')
      .map((line) => ({
        section: section.title,
        ...at(line),
        text: line.text,
        peers: after(line.words, 'peers'),
      }))
      .filter(({ peers }) => peers === null || !hasVariable(peers));
  });
}

const servesTls = (section: ConfigSection): boolean =>
  of(section, 'bind').some(({ words }) => words.includes('ssl'));

const isPlainHttp = ({ words }: ConfigLine): boolean =>
  !words.includes('ssl') && (words[1] ?? '').endsWith(':80');

/** What turns a client away, whichever name it came with. */
const REFUSING = /^(?:deny|reject|tarpit|silent-drop)$/;

/**
 * Names in `hdr(host)` and `ssl_fc_sni` matches that stand for themselves: no files, no patterns, no
 * addresses. None that is only turned away: nobody is served there.
 */
function hosts(section: ConfigSection, at: At): ConfigFacts['hosts'] {
  const [used, refused] = [new Set<string>(), new Set<string>()];
  for (const line of section.lines)
    if (line.words[0] !== 'acl')
      for (const [position, word] of line.words.entries())
        (isRefused(line, position) ? refused : used).add(word.replace(/^!/, ''));
  return section.lines.flatMap((line) => {
    const [first, second = ''] = line.words;
    // One that nothing uses here may be used by a backend.
    const isOver = first === 'acl' && refused.has(second) && !used.has(second);
    if (line.isGuarded || isOver) return [];
    return line.words.flatMap((word, position) => {
      if (!/^(?:req\.)?(?:hdr\(host\)|ssl_fc_sni)(?:,.*)?$/.test(word)) return [];
      const before = line.words[position - 1] ?? '';
      const isMatch = first === 'acl' ? position === 2 : /^!?\{$/.test(before);
      if (!isMatch || isRefused(line, position - 1)) return [];
      const rest = line.words.slice(position + 1);
      const end = rest.findIndex((one) => /^(?:\}|\|\||or)$/.test(one));
      const patterns = end < 0 ? rest : rest.slice(0, end);
      if (patterns.some((one) => one === '-f' || one === '-m')) return [];
      return patterns
        .filter((one) => /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(one) && isIP(one) === 0)
        .map((name) => ({ name, section: section.title, ...at(line) }));
    });
  });
}

/** Whether who fits the term that begins there is turned away by its line: `if it`, or `unless !it`. */
function isRefused({ words }: ConfigLine, position: number): boolean {
  if (!words.slice(1, 4).some((one) => REFUSING.test(one))) return false;
  const term = words[position] ?? '';
  const closing = term.endsWith('{') ? words.indexOf('}', position) : position;
  // With another term beside it some are let in.
  const isAlone =
    /^(?:if|unless|or|\|\|)$/.test(words[position - 1] ?? '') &&
    /^(?:or|\|\|)?$/.test(words[closing + 1] ?? '');
  return isAlone && words.includes('unless') === term.startsWith('!');
}

/** `use_backend` lines for the challenge, with the path in place or behind an acl. */
function routes(section: ConfigSection, at: At): ConfigFacts['acme'] {
  const isChallenge = (word: string): boolean => word.startsWith(CHALLENGE);
  const acls = of(section, 'acl')
    .filter(({ words }) => words.some(isChallenge))
    .map(({ words }) => words[1] ?? '');
  return of(section, 'use_backend')
    .filter(({ words }) => words.some((word) => isChallenge(word) || acls.includes(word)))
    .map((line) => ({
      section: section.title,
      ...at(line),
      backend: line.words[1] ?? '',
    }));
}

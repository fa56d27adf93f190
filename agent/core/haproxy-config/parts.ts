import type { ConfigLine, ConfigSection } from './sections.ts';

/** What clients and operators know of a configuration, by kind. */
export const PART_KINDS = ['frontends', 'binds', 'backends', 'servers', 'certificates'] as const;
type PartKind = (typeof PART_KINDS)[number];

/**
 * What a configuration has, each by its name: "web", "web :443", "web", "web/s1", a path. The value
 * is what else is told of it: the address of a server. A name that stands in a condition of which only
 * HAProxy knows whether it holds ends in CONDITION.
 */
export type Parts = Readonly<Record<PartKind, ReadonlyMap<string, string>>>;

/** Behind the name of what may or may not be there. */
const CONDITION = ' (in a condition)';

/** One `server-template` makes at most so many names here. */
const MOST_OF_TEMPLATE = 10_000;

/** The parts of these sections, in their order. */
export function partsOf(sections: readonly ConfigSection[]): Parts {
  const parts = {
    frontends: new Map<string, string>(),
    binds: new Map<string, string>(),
    backends: new Map<string, string>(),
    servers: new Map<string, string>(),
    certificates: new Map<string, string>(),
  };
  const add = (kind: PartKind, name: string, isGuarded: boolean, value = ''): void => {
    parts[kind].set(isGuarded ? `${name}${CONDITION}` : name, value);
  };
  let crtBase = '';
  for (const { kind, lines } of sections) {
    const [header, ...rest] = lines;
    if (header === undefined) continue;
    const name = header.words[1] ?? '';
    const isFrontend = kind === 'frontend' || kind === 'listen';
    const isBackend = kind === 'backend' || kind === 'listen';
    if (isFrontend) add('frontends', name, header.isGuarded);
    if (isBackend) add('backends', name, header.isGuarded);
    for (const { words, isGuarded } of rest) {
      const [first, second = ''] = words;
      if (kind === 'global' && first === 'crt-base') crtBase = second;
      if (isFrontend && first === 'bind')
        for (const address of second.split(',')) add('binds', `${name} ${address}`, isGuarded);
      if (isBackend)
        for (const [server, address] of serversOf(words))
          add('servers', `${name}/${server}`, isGuarded, address);
      if ((isFrontend && first === 'bind') || (kind === 'crt-store' && first === 'load'))
        for (const file of certificatesOf(words, crtBase)) add('certificates', file, isGuarded);
    }
  }
  return parts;
}

/** Name and address of each server that a line makes. */
function serversOf(words: ConfigLine['words']): [string, string][] {
  const [first, name = '', second = '', third = ''] = words;
  if (first === 'server') return [[name, second]];
  if (first !== 'server-template') return [];
  const [, low, high] = /^(?:(\d+)-)?(\d+)$/.exec(second) ?? [];
  // A variable, or a mistake: the line itself still tells it from others.
  if (high === undefined) return [[`${name}${second}`, third]];
  const from = Number(low ?? 1);
  const many = Math.min(Math.max(Number(high) - from + 1, 0), MOST_OF_TEMPLATE);
  return Array.from({ length: many }, (_, at) => [`${name}${from + at}`, third]);
}

/** The files behind `crt` and `crt-list`, where HAProxy looks for them. */
const certificatesOf = (words: ConfigLine['words'], base: string): string[] =>
  words.flatMap((word, at) => {
    const file = words[at + 1];
    if (file === undefined || (word !== 'crt' && word !== 'crt-list')) return [];
    const isPlain = word === 'crt' && base !== '' && !/^[/@]/.test(file);
    return [isPlain ? `${base.replace(/\/$/, '')}/${file}` : file];
  });

import { partsOf, PART_KINDS, type Parts } from './parts.ts';
import { sectionsOf, type ConfigSection } from './sections.ts';
import { wordsOf } from './words.ts';

/** The names of parts of each kind, in the order of the configuration that has them. */
type PartNames = Readonly<Record<keyof Parts, readonly string[]>>;

/** What another configuration has and has not. */
export interface ConfigChanges {
  /** Whether they differ in anything that HAProxy reads: all but comments, spacing and the names of nodes. */
  readonly differs: boolean;
  readonly added: PartNames;
  readonly gone: PartNames;
  /** Servers of the same name with another address. */
  readonly moved: readonly {
    readonly server: string;
    readonly from: string;
    readonly to: string;
  }[];
  /** Titles of the sections that both have with other lines, and of those that one of them has not. */
  readonly sections: readonly string[];
}

/** One configuration: the texts of its files, in the order in which HAProxy reads them. */
export type ConfigTexts = readonly string[];

/** What changes from one configuration to another. `nodes`: their names may rightly differ. */
export function changesBetween(
  before: ConfigTexts,
  after: ConfigTexts,
  nodes: readonly string[] = [],
): ConfigChanges {
  const [one, other] = [before, after].map((texts) => {
    const sections = texts.flatMap((text) => sectionsOf(text));
    return { parts: partsOf(sections), lines: linesBySection(sections, nodes) };
  });
  const [old, now] = [one?.parts ?? partsOf([]), other?.parts ?? partsOf([])];
  const [was, is] = [one?.lines ?? new Map(), other?.lines ?? new Map()];
  const moved = [...old.servers].flatMap(([server, from]) => {
    const to = now.servers.get(server);
    return to === undefined || to === from ? [] : [{ server, from, to }];
  });
  return {
    differs: readLines(before, nodes) !== readLines(after, nodes),
    added: namesNotIn(now, old),
    gone: namesNotIn(old, now),
    moved,
    sections: [...new Set([...was.keys(), ...is.keys()])].filter(
      (title) => was.get(title) !== is.get(title),
    ),
  };
}

/** In one line what changes, for a record: of each kind the first name and how many more. */
export function changesInWords(changes: ConfigChanges): string {
  const told = (names: readonly string[], kind: string, what: string): string[] => {
    const [first] = names;
    if (first === undefined) return [];
    return [`${what} ${kind} ${first}${names.length === 1 ? '' : ` and ${names.length - 1} more`}`];
  };
  const { added, gone, moved, sections } = changes;
  const parts = PART_KINDS.flatMap((kind) => [
    ...told(added[kind], kind.slice(0, -1), 'new'),
    ...told(gone[kind], kind.slice(0, -1), 'gone'),
  ]);
  const servers = moved.map(({ server, from, to }) => `${server} from ${from} to ${to}`);
  const all = [...parts, ...told(servers, 'server', 'moved')];
  if (all.length > 0) return all.join(', ');
  if (!changes.differs) return 'only comments or spacing';
  const [first = 'conditions or the order of files'] = sections;
  return `other lines in ${first}${sections.length > 1 ? ` and ${sections.length - 1} more sections` : ''}`;
}

function namesNotIn(mine: Parts, others: Parts): PartNames {
  const names = (kind: keyof Parts): string[] =>
    [...mine[kind].keys()].filter((name) => !others[kind].has(name));
  return {
    frontends: names('frontends'),
    binds: names('binds'),
    backends: names('backends'),
    servers: names('servers'),
    certificates: names('certificates'),
  };
}

const withoutNodes = (text: string, nodes: readonly string[]): string =>
  nodes.reduce((rest, node) => rest.replaceAll(node, 'NODE'), text);

/** Several files have a `global` each, and a file may have several `defaults`. */
function linesBySection(
  sections: readonly ConfigSection[],
  nodes: readonly string[],
): Map<string, string> {
  const found = new Map<string, string>();
  for (const { title, lines } of sections) {
    const text = lines.map(({ words }) => words.join('\0')).join('\n');
    const name = withoutNodes(title, nodes);
    found.set(name, `${found.get(name) ?? ''}\n${withoutNodes(text, nodes)}`);
  }
  found.delete('');
  return found;
}

/** Everything that HAProxy reads, conditions too. */
const readLines = (texts: ConfigTexts, nodes: readonly string[]): string =>
  withoutNodes(
    texts
      .flatMap((text) => text.split('\n'))
      .flatMap((line) => {
        const { words } = wordsOf(line);
        return words.length === 0 ? [] : [words.join('\0')];
      })
      .join('\n'),
    nodes,
  );

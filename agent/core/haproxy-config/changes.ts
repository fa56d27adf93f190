import { partsOf, PART_KINDS, type Parts } from './parts.ts';
import { sectionReader, type ConfigSection } from './sections.ts';
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
export function changesBetween(...compared: Parameters<typeof comparing>): ConfigChanges {
  const steps = comparing(...compared);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same step by step, for whoever has others to serve between two of them. */
export function* comparing(
  before: ConfigTexts,
  after: ConfigTexts,
  nodes: readonly string[] = [],
): Generator<undefined, ConfigChanges> {
  const [old, now] = [yield* readConfig(before, nodes), yield* readConfig(after, nodes)];
  yield;
  const plain = (text: string): string => withoutNodes(text, nodes);
  const differs = old.lines !== now.lines;
  yield;
  const servers = new Map([...now.parts.servers].map(([name, to]) => [plain(name), to]));
  const moved = [...old.parts.servers].flatMap(([server, from]) => {
    const to = servers.get(plain(server));
    return to === undefined || plain(to) === plain(from) ? [] : [{ server, from, to }];
  });
  yield;
  const added = namesNotIn(now.parts, old.parts, plain);
  yield;
  const gone = namesNotIn(old.parts, now.parts, plain);
  yield;
  const titles = new Set([...old.bySection.keys(), ...now.bySection.keys()]);
  return {
    differs,
    added,
    gone,
    moved,
    sections: [...titles].filter((title) => old.bySection.get(title) !== now.bySection.get(title)),
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

function namesNotIn(mine: Parts, others: Parts, plain: (name: string) => string): PartNames {
  const names = (kind: keyof Parts): string[] => {
    const theirs = new Set([...others[kind].keys()].map(plain));
    return [...mine[kind].keys()].filter((name) => !theirs.has(plain(name)));
  };
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

/** So many lines are one step. */
const STEP = 500;

/** A configuration read for being compared. */
interface Read {
  readonly parts: Parts;
  /** By title: several files have a `global` each, and a file may have several `defaults`. */
  readonly bySection: ReadonlyMap<string, string>;
  /** Everything that HAProxy reads, conditions too. */
  readonly lines: string;
}

function* readConfig(texts: ConfigTexts, nodes: readonly string[]): Generator<undefined, Read> {
  const sections: ConfigSection[] = [];
  const lines: string[] = [];
  let done = 0;
  for (const text of texts) {
    const reader = sectionReader('');
    for (const line of text.split('\n')) {
      reader.take(line);
      const { words } = wordsOf(line);
      if (words.length > 0) lines.push(words.join('\0'));
      done += 1;
      if (done % STEP === 0) yield;
    }
    sections.push(...reader.sections.filter(({ lines: some }) => some.length > 0));
  }
  const bySection = new Map<string, string>();
  for (const { title, lines: own } of sections) {
    const name = withoutNodes(title, nodes);
    const text = own.map(({ words }) => words.join('\0')).join('\n');
    bySection.set(name, `${bySection.get(name) ?? ''}\n${withoutNodes(text, nodes)}`);
  }
  yield;
  const parts = partsOf(sections);
  yield;
  return { parts, bySection, lines: withoutNodes(lines.join('\n'), nodes) };
}

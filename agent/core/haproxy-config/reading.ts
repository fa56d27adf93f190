/** A file of this many bytes is read at most; 10,000 servers are 0.9 MB. */
export const LONGEST_FILE = 1 << 20;
/** Of so many files, with so many bytes together: a message of gRPC carries 4 MB. */
export const MOST_FILES = 64;
export const LONGEST_TEXT = 3 << 20;

/** One file of HAProxy's configuration as a node has it. */
export interface ConfigFile {
  readonly path: string;
  /** With marks instead of secrets; its lines end in LF. */
  readonly text: string;
  /** RFC 3339 UTC: when it was last written. */
  readonly changedAt: string;
}

/** Whether the running HAProxy has read the files as they are; `unknown`: see `why`. */
export type Loaded = 'yes' | 'no' | 'unknown';
export const LOADED: readonly Loaded[] = ['yes', 'no', 'unknown'];

/** HAProxy's configuration as one node has it on its disk. */
export interface ConfigReading {
  /** In the order in which HAProxy reads them. */
  readonly files: readonly ConfigFile[];
  /** What of it is missing here, and what to do; empty: all of it is there. */
  readonly problems: readonly string[];
  /** What is worth knowing of how it was read. */
  readonly notes: readonly string[];
  /** 12 digits that are the same for the same text; secrets do not count. */
  readonly version: string;
  /** RFC 3339 UTC: since when HAProxy runs; empty: it does not answer. */
  readonly startedAt: string;
  readonly loaded: Loaded;
  /** Where `loaded` is not `yes`, why. */
  readonly why: string;
}

/** The same with whose it is, or why there is none. */
export interface NodeConfig extends ConfigReading {
  readonly node: string;
  /** Empty: it was read. */
  readonly problem: string;
}

export const NO_CONFIG: ConfigReading = {
  files: [],
  problems: [],
  notes: [],
  version: '',
  startedAt: '',
  loaded: 'unknown',
  why: '',
};

/** What is asked of the pair's configurations. */
export interface ConfigAsk {
  /** SHA-256 of the secrets of a file that is to be compared, see secretText. */
  readonly secrets: readonly Uint8Array[];
}

/** The configuration of every node. */
export interface ConfigAnswer {
  /** The node that answers. */
  readonly node: string;
  readonly nodes: readonly NodeConfig[];
  /** The numbers of the secrets that were asked about, in their order; empty: the caller may not know. */
  readonly secrets: readonly number[];
}

/** So many secrets of a file can be asked about at once. */
export const MOST_SECRETS = 4096;

/** What of a secret is hashed before it goes anywhere: it and where it stands. */
export const secretText = (place: string, value: string): string => `${place}\0${value}`;

/**
 * Between agents a secret is a keyed hash between two NULs, which no file has. For whoever asks it
 * is a number, the same for the same secret in the same place: a hash could be guessed at.
 */
export const hashedMark = (hash: string): string => `\0${hash}\0`;
export const numberedMark = (number: number): string => `<secret-${number}>`;
/** One of which nobody is told whether it is another. */
export const PLAIN_MARK = '<secret>';

// oxlint-disable-next-line no-control-regex -- it is what is looked for
const HASHED = /\0([0-9a-f]{24})\0/g;
const NUMBERED = /<secret-\d+>/g;

/** The text with these marks instead of the hashes. */
export const withMarks = (text: string, markOf: (hash: string) => string): string =>
  text.replaceAll(HASHED, (_mark, hash: string) => markOf(hash));

/** The text without what tells one secret from another. */
export const withPlainMarks = (text: string): string => text.replaceAll(NUMBERED, PLAIN_MARK);

/** Numbers for secrets, from 1 in the order in which they are asked for. */
export function secretNumbers(): (hash: string) => number {
  const numbers = new Map<string, number>();
  return (hash) => {
    const number = numbers.get(hash) ?? numbers.size + 1;
    numbers.set(hash, number);
    return number;
  };
}

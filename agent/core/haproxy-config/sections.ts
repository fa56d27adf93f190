import { wordsOf } from './words.ts';

/** One of the files that HAProxy was started with. */
export interface ConfigText {
  readonly file: string;
  readonly sections: readonly ConfigSection[];
}

/** One line of haproxy.conf that says something. */
export interface ConfigLine {
  /** Empty: whoever read it did not say. */
  readonly file: string;
  /** From 1. */
  readonly number: number;
  readonly words: readonly string[];
  /** As it stands there, without indentation, comment and white space at the end. */
  readonly text: string;
  /** Stands in a `.if`, or in a section that one begins: whether it holds only HAProxy can tell. */
  readonly isGuarded: boolean;
}

/** A section with its own first line among `lines`; kind '' is what stands before the first. */
export interface ConfigSection {
  readonly kind: string;
  /** "backend GITEA"; "global". */
  readonly title: string;
  readonly number: number;
  readonly lines: readonly ConfigLine[];
}

/** Words that begin a section (HAProxy configuration manual, up to 3.4). */
export const SECTIONS: ReadonlySet<string> = new Set(
  (
    'global defaults frontend backend listen userlist peers resolvers cache mailers program ' +
    'http-errors ring fcgi-app log-forward log-profile crt-store acme traces'
  ).split(' '),
);

/** The sections of several files, in the order in which HAProxy reads them; none goes on in the next file. */
export const sectionsIn = (texts: readonly ConfigText[]): ConfigSection[] =>
  texts.flatMap(({ sections }) => sections);

/**
 * The text of haproxy.conf by sections. Variables are left as they are. Lines that a condition
 * (`.if 0`) leaves out are none; those under any other are there and marked.
 */
export function sectionsOf(text: string, file = ''): readonly ConfigSection[] {
  const { sections, take } = sectionReader(file);
  for (const line of text.split('\n')) take(line);
  return sections;
}

/** Takes a file line by line; `sections` are those so far. */
export function sectionReader(file: string) {
  const sections: (ConfigSection & { lines: ConfigLine[] })[] = [];
  let current: ConfigLine[] = [];
  let isOpenEnded = false;
  const branches: Branch[] = [];
  sections.push({ kind: '', title: '', number: 1, lines: current });
  let number = 0;
  const take = (raw: string): void => {
    number += 1;
    const { words, end } = wordsOf(raw);
    const [first] = words;
    if (first === undefined) return;
    if (first.startsWith('.')) return branch(branches, first, words.slice(1).join(' '));
    if (branches.some(({ holds }) => holds === false)) return;
    const isBegin = SECTIONS.has(first);
    const isInside = branches.some(({ holds }) => holds === null);
    if (isBegin) isOpenEnded = isInside;
    const isGuarded = isInside || isOpenEnded;
    const line = { file, number, words, text: raw.slice(0, end).trim(), isGuarded };
    if (isBegin) {
      current = [];
      const title = [first, ...words.slice(1, 2)].join(' ');
      sections.push({ kind: first, title, number, lines: current });
    }
    current.push(line);
  };
  return { sections, take };
}

/** One `.if` that is open. */
interface Branch {
  /** Whether its lines hold now; null: only HAProxy can tell. */
  holds: boolean | null;
  /** Whether an earlier branch of it held. */
  wasTrue: boolean;
}

/** The conditional blocks of the configuration manual, 2.4; other words with a dot only print. */
function branch(open: Branch[], word: string, condition: string): void {
  const last = open.at(-1);
  if (word === '.if') {
    const holds = constant(condition);
    open.push({ holds, wasTrue: holds === true });
  } else if (word === '.endif') open.pop();
  else if (last !== undefined && (word === '.elif' || word === '.else')) {
    const holds = word === '.else' ? (last.holds === null ? null : true) : constant(condition);
    // Once one was not certain, neither are those that come instead of it.
    last.holds = last.wasTrue ? false : last.holds === null ? null : holds;
    last.wasTrue ||= last.holds === true;
  }
}

/** An empty condition and numbers are constants; a word is an error. */
function constant(condition: string): boolean | null {
  if (condition === '' || /^(?:false|0+)$/.test(condition)) return false;
  return /^(?:true|[1-9]\d*)$/.test(condition) ? true : null;
}

/** Whether there is a variable in a word: its value is in the environment of HAProxy. */
export const hasVariable = (word: string): boolean => word.includes('$');

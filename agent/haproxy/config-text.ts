/** One line of haproxy.conf that says something. */
export interface ConfigLine {
  /** From 1. */
  readonly number: number;
  readonly words: readonly string[];
  /** As it stands there, without indentation, comment and white space at the end. */
  readonly text: string;
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
const SECTIONS = new Set(
  (
    'global defaults frontend backend listen userlist peers resolvers cache mailers program ' +
    'http-errors ring fcgi-app log-forward log-profile crt-store acme traces'
  ).split(' '),
);

/** The text of haproxy.conf by sections. Conditions (`.if`) and variables are left as they are. */
export function sectionsOf(text: string): ConfigSection[] {
  const sections: (ConfigSection & { lines: ConfigLine[] })[] = [];
  let current: ConfigLine[] = [];
  sections.push({ kind: '', title: '', number: 1, lines: current });
  for (const [at, raw] of text.split('\n').entries()) {
    const { words, end } = wordsOf(raw);
    const [first] = words;
    if (first === undefined) continue;
    const line = { number: at + 1, words, text: raw.slice(0, end).trim() };
    if (SECTIONS.has(first)) {
      current = [];
      const title = [first, ...words.slice(1, 2)].join(' ');
      sections.push({ kind: first, title, number: line.number, lines: current });
    }
    current.push(line);
  }
  return sections;
}

/** What a letter after a backslash stands for (configuration manual 2.2, "Quoting and escaping"). */
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

/**
 * The words of one line as HAProxy reads it: `'...'` keeps everything, within
 * `"..."` and outside a backslash takes the next letter as it is, `#` outside
 * quotes ends the line. `end`: where the comment begins.
 */
export function wordsOf(line: string): { readonly words: readonly string[]; readonly end: number } {
  // Most lines: letter by letter, a file of 10,000 servers would hold the agent up for 0.3 s.
  if (!/[\\'"]/.test(line)) {
    const hash = line.indexOf('#');
    const end = hash < 0 ? line.length : hash;
    return { words: line.slice(0, end).match(/\S+/g) ?? [], end };
  }
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  let at = 0;
  for (; at < line.length; at += 1) {
    const letter = line[at] ?? '';
    if (letter === '\\' && quote !== "'") {
      at += 1;
      const next = line[at] ?? '';
      word = `${word ?? ''}${ESCAPED[next] ?? next}`;
    } else if (quote !== '') {
      if (letter === quote) quote = '';
      else word = `${word ?? ''}${letter}`;
    } else if (letter === '"' || letter === "'") {
      quote = letter;
      word ??= '';
    } else if (letter === '#') break;
    else if (/\s/.test(letter)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = `${word ?? ''}${letter}`;
  }
  if (word !== null) words.push(word);
  return { words, end: at };
}

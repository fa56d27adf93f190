import { join } from 'node:path';
import { isDisabled } from './config-servers.ts';
import {
  hasVariable,
  type ConfigLine,
  type ConfigSection,
} from '../core/haproxy-config/sections.ts';

/** Where a proxy's servers have their state of before a reload from. */
type Source = 'global' | 'local' | 'none';

/** What one proxy says of it. */
interface Said {
  readonly source: Source;
  /** False: a condition or a `defaults` that is not known decides. */
  readonly isCertain: boolean;
}

const NOTHING: Said = { source: 'none', isCertain: true };

/**
 * Backends whose servers begin with what a file says (`load-server-state-from-file`), which holds
 * whatever was so when somebody saved it. What only HAProxy can tell counts as if it were so.
 */
export function backendsWithStateFile(sections: readonly ConfigSection[]): ReadonlySet<string> {
  const isNamed = globalLine(sections, 'server-state-file') !== undefined;
  const found = new Set<string>();
  for (const { section, said } of proxies(sections))
    if (said.source === 'local' || (said.source === 'global' && isNamed))
      found.add(section.lines[0]?.words[1] ?? '');
  return found;
}

/** A state file, and the backends that certainly begin with it. */
export interface StateFile {
  readonly path: string;
  /** Null: it has the servers of all; else only those of this backend count. */
  readonly of: string | null;
  readonly backends: readonly string[];
}

/**
 * The state files that certainly are read at the next start, each with its absolute path. Left out
 * is what stands in a condition or has a variable in it, and what lies relative to the directory
 * that HAProxy is started in.
 */
export function stateFilesOf(sections: readonly ConfigSection[]): readonly StateFile[] {
  const base = pathIn(globalLine(sections, 'server-state-base'), '');
  const path = base === null ? null : pathIn(globalLine(sections, 'server-state-file'), base);
  const found: StateFile[] = [];
  const common: string[] = [];
  for (const { section, said } of proxies(sections)) {
    const [header] = section.lines;
    const name = header?.words[1] ?? '';
    if (!said.isCertain || header?.isGuarded !== false) continue;
    if (isDisabled(section) || !section.lines.some(isServer)) continue;
    if (said.source === 'global') common.push(name);
    if (said.source !== 'local' || base === null) continue;
    const line = last(section.lines, 'server-state-file-name');
    const own = line?.words[1] ?? 'use-backend-name';
    const file = line?.isGuarded ? null : inBase(own === 'use-backend-name' ? name : own, base);
    if (file !== null) found.push({ path: file, of: name, backends: [name] });
  }
  if (path !== null && path !== '' && common.length > 0)
    found.unshift({ path, of: null, backends: common });
  return found;
}

const isServer = ({ words: [first], isGuarded }: ConfigLine): boolean =>
  !isGuarded && (first === 'server' || first === 'server-template');

const last = (lines: readonly ConfigLine[], word: string): ConfigLine | undefined =>
  lines.findLast(({ words }) => words[0] === word);

const globalLine = (sections: readonly ConfigSection[], word: string): ConfigLine | undefined =>
  last(
    sections.filter(({ kind }) => kind === 'global').flatMap(({ lines }) => lines),
    word,
  );

/** Its path; empty where nothing names one, null where that is not known. */
function pathIn(line: ConfigLine | undefined, base: string): string | null {
  if (line === undefined) return '';
  return line.isGuarded ? null : inBase(line.words[1] ?? '', base);
}

function inBase(name: string, base: string): string | null {
  if (hasVariable(name)) return null;
  const whole = name.startsWith('/') || base === '' ? name : join(base, name);
  return whole.startsWith('/') ? whole : null;
}

/** Backends and what they say, or the `defaults` that they go back to do. */
function* proxies(sections: readonly ConfigSection[]) {
  const named = new Map<string, Said>();
  let before = NOTHING;
  for (const section of sections) {
    const { kind, lines } = section;
    const words = lines[0]?.words ?? [];
    const from = words.indexOf('from', 1);
    const base = from < 0 ? null : (named.get(words[from + 1] ?? '') ?? NOTHING);
    if (kind === 'defaults') {
      before = saidIn(lines, base ?? NOTHING);
      const [, name = 'from'] = words;
      if (name !== 'from') named.set(name, before);
    }
    if (kind !== 'backend' && kind !== 'listen') continue;
    yield { section, said: saidIn(lines, from < 0 ? before : (base ?? NOTHING)) };
  }
}

/** The last line counts; one in a condition may end nothing. */
function saidIn(lines: ConfigSection['lines'], before: Said): Said {
  let said = lines[0]?.isGuarded ? { ...before, isCertain: false } : before;
  for (const { words, isGuarded } of lines) {
    const [first, value = ''] = words;
    if (first !== 'load-server-state-from-file') continue;
    const isCertain = !isGuarded && !hasVariable(value);
    if (value === 'global' || value === 'local') said = { source: value, isCertain };
    else if (isCertain) said = { source: 'none', isCertain };
    else said = { ...said, isCertain };
  }
  return said;
}

import type { ConfigSection } from './config-text.ts';

/** Where a proxy's servers have their state of before a reload from; null: nowhere. */
type Source = 'global' | 'local' | null;

/**
 * Backends whose servers begin with what a file says (`load-server-state-from-file`), which holds
 * whatever was so when somebody saved it. What only HAProxy can tell counts as if it were so.
 */
export function backendsWithStateFile(sections: readonly ConfigSection[]): ReadonlySet<string> {
  const isNamed = sections.some(
    ({ kind, lines }) =>
      kind === 'global' && lines.some(({ words }) => words[0] === 'server-state-file'),
  );
  const found = new Set<string>();
  const named = new Map<string, Source>();
  let last: Source = null;
  for (const { kind, lines } of sections) {
    const words = lines[0]?.words ?? [];
    const from = words.indexOf('from', 1);
    const before = from < 0 ? null : (named.get(words[from + 1] ?? '') ?? null);
    if (kind === 'defaults') {
      last = sourceIn(lines, before);
      const [, name = 'from'] = words;
      if (name !== 'from') named.set(name, last);
    }
    if (kind !== 'backend' && kind !== 'listen') continue;
    const source = sourceIn(lines, from < 0 ? last : before);
    if (source === 'local' || (source === 'global' && isNamed)) found.add(words[1] ?? '');
  }
  return found;
}

/** The last line counts; one in a condition may end nothing. */
function sourceIn(lines: ConfigSection['lines'], before: Source): Source {
  let source = before;
  for (const { words, isGuarded } of lines) {
    const [first, value] = words;
    if (first !== 'load-server-state-from-file') continue;
    if (value === 'global' || value === 'local') source = value;
    else if (!isGuarded) source = null;
  }
  return source;
}

import { sectionsOf } from './config-text.ts';
import { unixPath } from './config-scan.ts';

/** Which `stats socket` line of haproxy.conf is meant, or why none can be. */
export type SocketLine =
  | { readonly path: string; readonly admin: boolean }
  | { readonly path: null; readonly cause: string };

const LINE = '"stats socket PATH level admin" in its global section';

/**
 * The first `stats socket` of level admin whose path is written out in the text of haproxy.conf,
 * else the first of another level: that one at least tells of HAProxy's end. A path with a
 * variable is only known to HAProxy, from its own environment.
 */
export function socketOf(text: string): SocketLine {
  const lines = sectionsOf(text)
    .filter(({ kind }) => kind === 'global')
    .flatMap((section) => section.lines)
    .filter(({ words }) => words[0] === 'stats' && words[1] === 'socket');
  const known = lines.flatMap(({ words }) => {
    const path = unixPath(words[2] ?? '');
    if (path === null || path.includes('$')) return [];
    return [{ path, admin: / level admin( |$)/.test(words.join(' ')) }];
  });
  const found = known.find(({ admin }) => admin) ?? known[0];
  if (found !== undefined) return found;
  const variable = lines.find(({ words }) => words[2]?.includes('$'));
  if (variable !== undefined) {
    const { words, number } = variable;
    return {
      path: null,
      cause: `names its stats socket by a variable (line ${number}: ${words[2]})`,
    };
  }
  const other = lines[0];
  if (other === undefined) return { path: null, cause: `has no ${LINE}` };
  const { words, number } = other;
  return {
    path: null,
    cause: `has no stats socket that is a path (line ${number}: ${words[2] ?? ''})`,
  };
}

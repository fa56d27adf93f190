import {
  hasVariable,
  type ConfigLine,
  type ConfigSection,
} from '../core/haproxy-config/sections.ts';

/** Which `stats socket` line of haproxy.conf is meant, or why none can be. */
export type SocketLine =
  { readonly path: string } | { readonly path: null; readonly cause: string };

const LINE = '"stats socket PATH level admin" in its global section';

/** The path in `/var/run/haproxy.sock` or `unix@/…`; null for a TCP or abstract socket. */
export const unixPath = (address: string): string | null =>
  /^(?:unix@)?(\/.+)$/.exec(address)?.[1] ?? null;

/**
 * The first `stats socket` of level admin in the sections of haproxy.conf whose path is certain, else
 * the first certain one of another level: that one at least tells of HAProxy's end. What stands in
 * a condition or has a variable in its path is known to HAProxy alone. `cause` is to be put behind
 * the path of the file.
 */
export function socketOf(sections: readonly ConfigSection[]): SocketLine {
  const lines = sections
    .filter(({ kind }) => kind === 'global')
    .flatMap((section) => section.lines)
    .filter(({ words }) => words[0] === 'stats' && words[1] === 'socket');
  const certain = lines.filter(({ isGuarded }) => !isGuarded);
  const path = certain.filter(isAdmin).flatMap(pathsOf)[0] ?? certain.flatMap(pathsOf)[0];
  if (path !== undefined) return { path };
  const [first] = lines;
  if (first === undefined) return { path: null, cause: `has no ${LINE}` };
  // What only HAProxy can tell may well be the right one; what is no path is not.
  const [line, says] = reason(lines) ?? [first, 'has no stats socket that is a path'];
  return { path: null, cause: `${says} (line ${line.number}: ${line.words[2] ?? ''})` };
}

/** Several addresses of one line are separated by commas (configuration manual 11.2). */
const pathsOf = ({ words }: ConfigLine): string[] =>
  (words[2] ?? '').split(',').flatMap((address) => {
    const path = unixPath(address);
    return path === null || hasVariable(path) ? [] : [path];
  });

/** The last `level` counts; HAProxy's own default is operator (management guide, "stats socket"). */
function isAdmin({ words }: ConfigLine): boolean {
  const at = words.lastIndexOf('level');
  return at > 2 && words[at + 1] === 'admin';
}

function reason(lines: readonly ConfigLine[]): readonly [ConfigLine, string] | null {
  for (const line of lines) {
    if (hasVariable(line.words[2] ?? '')) return [line, 'names its stats socket by a variable'];
    const isPath = pathsOf(line).length > 0;
    if (line.isGuarded && isPath) return [line, 'has its stats socket in a condition (.if)'];
  }
  return null;
}

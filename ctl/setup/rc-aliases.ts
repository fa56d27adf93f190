import { rcVariables, type RcVariable } from '../../agent/core/doctor/rc-text.ts';

/** Words with which another alias begins in `ifconfig_IF_aliases` (network.subr of FreeBSD). */
const FAMILIES = new Set(['inet', 'inet6', 'link', 'ether', 'ipx']);

/**
 * The lines of an rc.conf with each variable of the interface on one line, and without our vhids
 * in `ifconfig_IF_aliases`: rc(8) sets those after the numbered ones, so that they would win. What
 * only a shell can tell is left as it is.
 */
export function plainAliases(
  lines: readonly string[],
  on: string,
  vhids: readonly number[],
): string[] {
  const ours = new RegExp(`^ifconfig_${on}(?:_ipv6|_alias\\d+|_aliases)?$`);
  const all = rcVariables(lines.join('\n'));
  const out: (string | null)[] = [...lines];
  for (const variable of all) {
    const { name, value, line, end } = variable;
    if (value === null || !ours.test(name) || !isAlone(variable, all, lines)) continue;
    const text = withoutVhids(variable, vhids);
    if (text === value && line === end) continue;
    out.fill(null, line - 1, end);
    if (text !== '') out[line - 1] = `${name}=${quoted(text)}`;
  }
  return out.filter((line) => line !== null);
}

/** A value in quotes that sh(1) takes off again; it holds both kinds only where nobody can write it so. */
export const quoted = (value: string): string =>
  value.includes('"') && !value.includes("'") ? `'${value}'` : `"${value}"`;

/** Variables of aliases whose value only a shell can tell, a sentence each. */
export const unreadableAliases = (rcConf: string): string[] =>
  rcVariables(rcConf)
    .filter(({ name, value }) => value === null && /^ifconfig_\w+_alias(?:es|\d+)$/.test(name))
    .map(
      ({ name, line }) =>
        `line ${line}: what ${name} is only a shell can tell; it must not set a vhid of this pair`,
    );

function withoutVhids({ name, value }: RcVariable, vhids: readonly number[]): string {
  const words = (value ?? '').split(/\s+/).filter((word) => word !== '');
  if (!name.endsWith('_aliases')) return words.join(' ');
  const aliases: string[][] = [];
  for (const word of words)
    if (FAMILIES.has(word) || aliases.length === 0) aliases.push([word]);
    else aliases.at(-1)?.push(word);
  const isOurs = (alias: readonly string[]): boolean =>
    alias.some((word, at) => word === 'vhid' && vhids.includes(Number(alias[at + 1])));
  const kept = aliases.filter((alias) => !isOurs(alias));
  // What is not ours stays as it is written.
  return kept.length === aliases.length && !(value ?? '').includes('\n')
    ? (value ?? '')
    : kept.flat().join(' ');
}

/** Nothing else stands on its lines, and its value can be written in quotes. */
function isAlone(
  { name, value, line, end }: RcVariable,
  all: readonly RcVariable[],
  lines: readonly string[],
): boolean {
  const others = all.filter((one) => one.line <= end && one.end >= line);
  const raw = lines.slice(line - 1, end).join('\n');
  const isWhole = /^\s*\w+=(?:"[^"]*"|'[^']*'|[^\s"']*)\s*(?:#.*)?$/.test(raw);
  return others.length === 1 && isWhole && raw.trim().startsWith(name) && !/[$`]/.test(value ?? '');
}

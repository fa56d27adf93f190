import { isIP, isIPv6 } from 'node:net';
import type { CertificateReport } from '../core/model.ts';

/** Which loaded certificate a new one replaces, by names alone. */
export type PathChoice =
  | { readonly kind: 'one'; readonly path: string }
  /** Several serve exactly these names. */
  | { readonly kind: 'same'; readonly paths: readonly string[] }
  /** None or several: those that come near, best first. */
  | { readonly kind: 'candidates'; readonly paths: readonly string[] };

/**
 * Whether a certificate for `names` is valid for `name`. A wildcard stands for exactly one
 * left-most label (RFC 6125, 6.4.3) and never for an address; a wildcard served now is covered
 * only by itself.
 */
export function covers(names: readonly string[], name: string): boolean {
  const wanted = canonical(name);
  const [, parent] = /^[^.*]+\.(.+)$/.exec(wanted) ?? [];
  const wildcard = parent === undefined || isIP(wanted) !== 0 ? null : `*.${parent}`;
  return names.map(canonical).some((have) => have === wanted || have === wildcard);
}

/** The names served now that a certificate for `names` would no longer be valid for. */
export function lostNames(served: readonly string[], names: readonly string[]): readonly string[] {
  return served.filter((name) => !covers(names, name));
}

/**
 * The one loaded path that serves exactly these names, no fewer and no more. Otherwise the
 * candidates: first those whose every name is covered, then those that share a name.
 */
export function pathFor(
  names: readonly string[],
  loaded: readonly CertificateReport[],
): PathChoice {
  const same = loaded.filter(
    (one) => lostNames(one.names, names).length === 0 && lostNames(names, one.names).length === 0,
  );
  const [only] = same;
  if (only !== undefined && same.length === 1) return { kind: 'one', path: only.path };
  if (same.length > 1) return { kind: 'same', paths: same.map(({ path }) => path) };
  const covered = loaded.filter(
    (one) => one.names.length > 0 && lostNames(one.names, names).length === 0,
  );
  const shared = loaded.filter(
    (one) => !covered.includes(one) && one.names.some((name) => covers(names, name)),
  );
  return { kind: 'candidates', paths: [...covered, ...shared].map(({ path }) => path) };
}

/**
 * Server names to ask a listener for so that it answers with a certificate for `names`, each once,
 * those without a wildcard first; none for addresses, which SNI does not carry (RFC 6066, 3).
 */
export function serverNames(names: readonly string[]): readonly string[] {
  const dns = names.map(canonical).filter((name) => name !== '' && isIP(name) === 0);
  const plain = dns.filter((name) => !name.includes('*'));
  const wild = dns.filter((name) => name.startsWith('*.'));
  return [...new Set([...plain, ...wild.map((name) => name.replace('*', 'proxyctl'))])];
}

/** The name that a path of this host has on every node. */
export const nameOf = (map: Readonly<Record<string, string>>, path: string): string =>
  Object.entries(map).find(([, here]) => here === path)?.[0] ?? path;

/** One spelling per name: lower case, no final dot, IPv6 shortened. */
function canonical(name: string): string {
  const lower = name.toLowerCase().replace(/\.$/, '');
  return isIPv6(lower) ? new URL(`http://[${lower}]`).hostname.slice(1, -1) : lower;
}

import type { RcLine } from './inspection.ts';
import { lastOf, rcVariables, valueWords } from './rc-text.ts';

/** A file of rc.conf(5) with its path on the host, in the order in which rc(8) reads them. */
export interface RcFile {
  readonly path: string;
  readonly text: string;
}

const VARIABLE = /^(?:ipv6_)?ifconfig_(\w+?)(?:_alias\d+|_aliases|_ipv6)?$/;

/** What an rc.conf calls an interface: each of `.-/+` is `_` (get_if_var() in FreeBSD's network.subr). */
export const rcName = (on: string): string => on.replaceAll(/[^A-Za-z0-9_]/g, '_');

/**
 * The assignments that make a vhid, one for each vhid in them, on one line and written anew: no
 * password can stand in it, because what follows `pass` is left out up to the next word that
 * ifconfig(8) knows. A variable that only a shell can tell the value of is left out as a whole.
 */
export const rcVhids = (files: readonly RcFile[]): RcLine[] =>
  lastOf(
    files.flatMap(({ path, text }) => rcVariables(text).map((one) => ({ ...one, path }))),
  ).flatMap(({ path, name, value, line, end }): RcLine[] => {
    const [, on] = VARIABLE.exec(name) ?? [];
    const words = value === null ? null : valueWords(value);
    const safe = words === null ? [] : withoutPassword(words);
    if (on === undefined || safe.some((word) => !/^[\w.:/%+-]+$/.test(word))) return [];
    const vhids = new Set(safe.flatMap((word, at) => (word === 'vhid' ? [safe[at + 1]] : [])));
    const text = `${name}="${safe.join(' ')}"`;
    return [...vhids]
      .filter((vhid) => /^\d+$/.test(vhid ?? ''))
      .map((vhid) => ({ file: path, line, end, interface: on, vhid: Number(vhid), text }));
  });

/** Words of ifconfig(8) that may follow a password. */
const KNOWN = new Set(
  (
    'inet inet6 link ether vhid advskew advbase pass alias -alias add delete remove netmask ' +
    'prefixlen broadcast peer peer6 mcast mcast6 state carpver vrrpprio vrrpinterval up down mtu ' +
    'metric description descr no_dad autoconf accept_rtadv -accept_rtadv deprecated ' +
    'prefer_source -ifdisabled ifdisabled auto_linklocal -auto_linklocal no_prefer_iface fib polling ' +
    'media mediaopt vlan vlandev scopeid anycast eui64'
  ).split(' '),
);

function withoutPassword(words: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const isKey = word === 'pass' || word === 'key';
    if (!isKey && !/^(?:pass|key)=/.test(word)) {
      out.push(word);
      continue;
    }
    out.push(...(isKey ? [word, 'PASSWORD'] : ['pass', 'PASSWORD']));
    if (isKey) at += 1;
    // Words of a password that nobody put in quotes, or of a $(command).
    while (at + 1 < words.length && !isKnown(words[at + 1] ?? '')) at += 1;
  }
  return out;
}

/** A word of ifconfig's, or an address: it has a dot, a colon or a length. */
const isKnown = (word: string): boolean =>
  KNOWN.has(word) ||
  /^(?:\d+(?:\.\d+){3}(?:-\d+)?|[0-9a-f]*:[0-9a-f]*:[0-9a-f:.%\w]*)(?:\/\d+)?$/i.test(word);

import { bootAdvskew, type Host, type Plan, type Prefixed } from './plan.ts';
import { plainAliases, quoted, unreadableAliases } from './rc-aliases.ts';
import { splitPrefix } from './schema.ts';

/** What rc.conf of one host must say. Values are without quotes and need none inside. */
export interface RcSettings {
  /** As rc.conf spells the interface: `em0.10` is `em0_10` (network.subr, get_if_var). */
  readonly interface: string;
  readonly plain: readonly (readonly [string, string])[];
  /** Its own addresses, the first of each family in a variable of its own. */
  readonly addresses: readonly Prefixed[];
  readonly vhids: readonly number[];
  /** Values of the CARP aliases, in order. */
  readonly carp: readonly string[];
}

/** The settings of rc.conf for one host of the pair. */
export function rcSettings(plan: Plan, host: Host): RcSettings {
  const gateway = (six: boolean): string | undefined =>
    host.gateways.find((one) => one.includes(':') === six);
  const routes = [
    ['defaultrouter', gateway(false)],
    ['ipv6_defaultrouter', linkScoped(gateway(true), host.interface)],
  ] as const;
  return {
    interface: host.interface.replaceAll(/[^A-Za-z0-9]/g, '_'),
    plain: [
      ['hostname', host.name],
      ...routes.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
      ['pf_enable', 'YES'],
      ['pflog_enable', 'YES'],
      ['haproxy_enable', 'YES'],
      ['proxyagent_enable', 'YES'],
    ],
    addresses: host.addresses,
    vhids: plan.vhids.map(({ id }) => id),
    carp: plan.vhids.flatMap((vhid) =>
      vhid.vips.map(
        ({ address, length, family }) =>
          `${inet(family)} vhid ${vhid.id} advskew ${bootAdvskew(plan, vhid, host)} ` +
          `pass ${plan.password} alias ${address}/${length}`,
      ),
    ),
  };
}

const inet = (family: 4 | 6): string => (family === 4 ? 'inet' : 'inet6');

/** A link-local router needs its interface named. */
const linkScoped = (address: string | undefined, on: string): string | undefined =>
  address !== undefined && /^fe[89ab]/i.test(address) ? `${address}%${on}` : address;

interface Assignment {
  readonly line: number;
  readonly name: string;
  readonly value: string;
}

type Lines = readonly string[];
const HEADER = '# written by proxyctl setup; it holds the CARP password: mode 0600';

/**
 * rc.conf with these settings in force; everything else stays as it is, line by
 * line. A variable that is there is changed where it last stands. Aliases of the
 * interface that are not ours come first, then ours, numbered from 0 without
 * gaps: rc(8) stops at the first number that is missing.
 */
export function mergeRcConf(before: string, settings: RcSettings): string {
  const fresh = before === '';
  const lines = fresh
    ? [HEADER]
    : plainAliases(before.replace(/\n$/, '').split('\n'), settings.interface, settings.vhids);
  const [hostname, ...others] = settings.plain;
  const named = withVariables(lines, hostname === undefined ? [] : [hostname]);
  const addressed = withVariables(named, interfaceVariables(named, settings));
  return `${withVariables(withAliases(addressed, settings, fresh), others).join('\n')}\n`;
}

function withVariables(lines: Lines, wanted: readonly (readonly [string, string])[]): Lines {
  const out = [...lines];
  for (const [name, value] of wanted) {
    const last = assignments(lines).findLast((one) => one.name === name);
    if (last === undefined) out.push(`${name}="${value}"`);
    else if (last.value !== value) out[last.line] = `${name}="${value}"`;
  }
  return out;
}

/** The variables of the first address of each family, unless it stands somewhere already. */
function interfaceVariables(lines: Lines, settings: RcSettings): (readonly [string, string])[] {
  const base = `ifconfig_${settings.interface}`;
  return ([4, 6] as const).flatMap((family) => {
    const first = settings.addresses.find((one) => one.family === family);
    if (first === undefined || isSet(assignments(lines), settings, first)) return [];
    const name = family === 4 ? base : `${base}_ipv6`;
    return [[name, `${inet(family)} ${first.address}/${first.length}`] as const];
  });
}

/** All aliases of the interface, numbered anew. */
function withAliases(lines: Lines, settings: RcSettings, fresh: boolean): Lines {
  const set = assignments(lines);
  const values = [...keptAliases(set, settings), ...ownAliases(set, settings), ...settings.carp];
  const aliases = values.map(
    (value, number) => `ifconfig_${settings.interface}_alias${number}=${quoted(value)}`,
  );
  if (fresh) {
    const others = aliases.slice(0, -settings.carp.length);
    return [...lines, ...others, '', '# CARP VIPs', ...aliases.slice(others.length), ''];
  }
  // Line for line where aliases stood; what is over goes behind the last, or behind the interface.
  const old = set
    .filter(({ name }) => aliasNumber(name, settings) !== null)
    .map(({ line }) => line);
  const base = `ifconfig_${settings.interface}`;
  const own = set.findLast(({ name }) => name === base || name === `${base}_ipv6`);
  const last = old.at(-1) ?? own?.line ?? lines.length - 1;
  return lines.flatMap((line, at) => {
    const index = old.indexOf(at);
    const here = index < 0 ? [line] : aliases.slice(index, index + 1);
    return at === last ? [...here, ...aliases.slice(old.length)] : here;
  });
}

/** The address stands in some value of the interface already, perhaps with options of its own. */
const isSet = (set: readonly Assignment[], settings: RcSettings, { address }: Prefixed): boolean =>
  set.some(
    ({ name, value }) =>
      name.startsWith(`ifconfig_${settings.interface}`) && value.split(/[\s/]+/).includes(address),
  );

/** Aliases that have nothing to do with our vhids. */
const keptAliases = (set: readonly Assignment[], settings: RcSettings): string[] =>
  set
    .filter(({ name }) => aliasNumber(name, settings) !== null)
    .sort((a, b) => (aliasNumber(a.name, settings) ?? 0) - (aliasNumber(b.name, settings) ?? 0))
    .map(({ value }) => value)
    .filter((value) => {
      const vhid = /\bvhid\s+(\S+)/.exec(value)?.[1];
      return vhid === undefined || !settings.vhids.includes(Number(vhid));
    });

/** The host's further addresses that nothing sets yet. */
function ownAliases(set: readonly Assignment[], settings: RcSettings): string[] {
  const first = [4, 6].map((family) => settings.addresses.find((one) => one.family === family));
  return settings.addresses
    .filter((one) => !first.includes(one) && !isSet(set, settings, one))
    .map(({ address, length, family }) => `${inet(family)} ${address}/${length}`);
}

function aliasNumber(name: string, settings: RcSettings): number | null {
  const digits = new RegExp(`^ifconfig_${settings.interface}_alias(\\d+)$`).exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Assignments on lines of their own, quotes taken off; what sh makes of the rest is left alone. */
function assignments(lines: Lines): Assignment[] {
  return lines.flatMap((text, line) => {
    const [, name, quoted] = /^\s*([A-Za-z_]\w*)=("[^"]*"|'[^']*'|[^\s#;]*)/.exec(text) ?? [];
    if (name === undefined || quoted === undefined) return [];
    return [{ line, name, value: quoted.replace(/^(["'])(.*)\1$/s, '$2') }];
  });
}

/** The CARP password of an rc.conf that setup wrote; null where it has none. */
export const passwordIn = (rcConf: string): string | null =>
  /^ifconfig_\w+_alias\d+="inet6? vhid \d+ .*\bpass (\S+) /m.exec(rcConf)?.[1] ?? null;

/** What is wrong with the CARP lines that are there, in sentences with their line. */
export function remarksOn(rcConf: string): string[] {
  const remarks: string[] = unreadableAliases(rcConf);
  const aliases = assignments(rcConf.split('\n')).filter(({ name }) =>
    /^ifconfig_\w+_alias\d+$/.test(name),
  );
  for (const { line, value } of aliases) {
    const [, word = ''] = /\badvskew\s+(\S+)/.exec(value) ?? [];
    if (word !== '' && !/^\d+$/.test(word))
      remarks.push(
        `line ${line + 1}: advskew ${word} is no number; ifconfig would read ${Number.parseInt(word, 10) || 0}`,
      );
  }
  const numbers = new Map<string, number[]>();
  for (const { name } of aliases) {
    const [, base = '', digits] = /^(.*_alias)(\d+)$/.exec(name) ?? [];
    numbers.set(base, [...(numbers.get(base) ?? []), Number(digits)]);
  }
  for (const [base, list] of numbers) {
    const missing = [...list].sort((a, b) => a - b).findIndex((number, index) => number !== index);
    if (missing >= 0)
      remarks.push(
        `${base}${missing} is missing: rc stops there, and the aliases behind it are not set`,
      );
  }
  return remarks;
}

/** The settings in an rc.conf that setup wrote for a host with none. */
export function settingsIn(rcConf: string): RcSettings {
  const set = assignments(rcConf.split('\n'));
  const name = set.find((one) => /^ifconfig_\w+_alias\d+$/.test(one.name))?.name ?? '';
  const of = /^ifconfig_(\w+)_alias\d+$/.exec(name)?.[1] ?? '';
  const values = set.filter((one) => one.name.startsWith('ifconfig_')).map(({ value }) => value);
  const carp = values.filter((value) => value.includes(' vhid '));
  return {
    interface: of,
    plain: set
      .filter((one) => !one.name.startsWith('ifconfig_'))
      .map((one) => [one.name, one.value] as const),
    addresses: values
      .filter((value) => !carp.includes(value))
      .flatMap((value) => splitPrefix(value.split(' ')[1] ?? '') ?? []),
    vhids: [...new Set(carp.map((value) => Number(/ vhid (\d+) /.exec(value)?.[1])))],
    carp,
  };
}

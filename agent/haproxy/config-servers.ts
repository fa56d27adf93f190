import type { ConfigFacts } from '../core/doctor/inspection.ts';
import { othersTurn } from '../sys/turn.ts';
import {
  hasVariable,
  type ConfigLine,
  type ConfigSection,
} from '../core/haproxy-config/sections.ts';

/** So many lines in one turn. */
const PIECE = 2000;

/** Whether checks are asked for; null: only HAProxy can tell. */
type Checks = boolean | null;

/** What a `defaults` section hands on. */
interface Defaults {
  readonly checks: Checks;
  readonly isDisabled: boolean;
}

const NONE: Defaults = { checks: false, isDisabled: false };
const UNKNOWN: Defaults = { checks: null, isDisabled: false };

/**
 * The servers of the backends in force, with what they have of `default-server` and of the
 * `defaults` they go back to: the named one (`from`), else the last before them. Left out is what
 * may not hold, and what is disabled; `check` is true also where it is not known, and where HAProxy
 * itself listens (`isOwn`). Others have their turn meanwhile.
 */
export async function servers(
  sections: readonly ConfigSection[],
  at: At,
  isOwn: (address: string) => boolean,
): Promise<ConfigFacts['servers']> {
  const found: ConfigFacts['servers'][number][] = [];
  const named = new Map<string, Defaults>();
  let last = NONE;
  let lines = 0;
  for (const section of sections) {
    lines += section.lines.length;
    if (lines > PIECE) {
      lines = 0;
      await othersTurn();
    }
    const [header] = section.lines;
    if (header === undefined) continue;
    const from = sourceOf(header, section.kind);
    if (section.kind === 'defaults') {
      // One without `from` begins anew.
      const own = header.isGuarded ? UNKNOWN : ofDefaults(section, from, named);
      last = own;
      const name = nameOf(header);
      if (name !== null) named.set(name, own);
    }
    if (section.kind !== 'backend' && section.kind !== 'listen') continue;
    const base = from === null ? last : (named.get(from) ?? UNKNOWN);
    if (isDisabled(section, base.isDisabled) || header.isGuarded) continue;
    for (const server of ofBackend(section, base.checks, at, isOwn)) found.push(server);
  }
  return found;
}

function ofDefaults(
  section: ConfigSection,
  from: string | null,
  named: ReadonlyMap<string, Defaults>,
): Defaults {
  const before = from === null ? NONE : (named.get(from) ?? UNKNOWN);
  const lines = section.lines.filter(({ words }) => words[0] === 'default-server');
  return {
    checks: lines.reduce(afterDefault, before.checks),
    isDisabled: isDisabled(section, before.isDisabled),
  };
}

type At = (line: ConfigLine) => { line: number; file?: string };

/** `default-server` lines count for the servers behind them. */
function ofBackend(
  section: ConfigSection,
  inherited: Checks,
  at: At,
  isOwn: (address: string) => boolean,
): ConfigFacts['servers'] {
  const backend = section.title.split(' ')[1] ?? '';
  let checks = inherited;
  let resolves = false;
  const isLog = section.lines.some(
    ({ words: [first, mode] }) => first === 'mode' && mode === 'log',
  );
  return section.lines.flatMap((line) => {
    const { words, isGuarded } = line;
    if (words[0] === 'default-server') {
      checks = afterDefault(checks, line);
      resolves ||= words.includes('resolvers');
    }
    const isTemplate = words[0] === 'server-template';
    if ((words[0] !== 'server' && !isTemplate) || isGuarded) return [];
    const [, name = '', second = '', third = ''] = words;
    const own = afterDefault(checks, line);
    // Who resolves names itself does not take the first address that this host has for one.
    const isOwnName = isTemplate || resolves || words.includes('resolvers');
    const { host, port } = placeOf(isTemplate ? third : second, isOwnName);
    const { line: number, file } = at(line);
    // Spread and rest would cost thousands of servers more than reading them.
    return [
      {
        backend,
        name: isTemplate ? `${name}${second}` : name,
        host,
        port,
        check:
          words.includes('disabled') || isAnywhere(second) || (!isTemplate && isOwn(second))
            ? true
            : (own ?? true) || isLog || UNCHECKABLE.test(second),
        text: line.text,
        line: number,
        ...(file === undefined ? {} : { file }),
      },
    ];
  });
}

/** Datagrams have nobody who would answer, and of `rhttp@` the server comes by itself. */
const UNCHECKABLE = /^(?:udp[46]?|rhttp)@/;

/** "Where the client wanted to go": there is nothing to check. */
const isAnywhere = (address: string): boolean =>
  /^(?:ipv[46]@)?(?:0\.0\.0\.0|::|\*)?(?::\d*)?$/.test(address);

const CHECKS = new Set(['no-check', 'check', 'track']);

/** What holds after one more line of settings for servers. */
function afterDefault(before: Checks, { words, isGuarded }: ConfigLine): Checks {
  const said = words.findLast((word) => CHECKS.has(word));
  // "${OPTIONS[*]}" may be any words.
  if (words.some((word) => hasVariable(word) && /\$\{\w+\[\*\]/.test(word))) return null;
  if (said === undefined) return before;
  const now = said !== 'no-check';
  return isGuarded && now !== before ? null : now;
}

/** HOST and port of a server's address; no host for a socket, a variable, or a name that HAProxy resolves itself. */
function placeOf(address: string, isOwnName: boolean): { host: string; port: number } {
  const [, host = '', port = ''] = /^(?:(?:(?:mp)?tcp|ipv)[46]?@)?(.+):(\d+)$/.exec(address) ?? [];
  if (/^[a-z+\d]+@|^\//.test(host) || hasVariable(host)) return { host: '', port: 0 };
  const bare = host.replace(/^\[|\]$/g, '');
  if (isOwnName && !/^[\d.]+$|:/.test(bare)) return { host: '', port: 0 };
  return { host: bare, port: Number(port) };
}

/** "from NAME" behind the name of a section. */
function sourceOf({ words }: ConfigLine, kind: string): string | null {
  const at = words.indexOf('from', kind === 'defaults' ? 1 : 2);
  return at < 0 ? null : (words[at + 1] ?? null);
}

const nameOf = ({ words: [, name] }: ConfigLine): string | null =>
  name === undefined || name === 'from' ? null : name;

/** A proxy that is told to be `disabled` serves nothing. */
export function isDisabled({ lines }: ConfigSection, before = false): boolean {
  const said = lines.findLast(({ words }) => /^(?:dis|en)abled$/.test(words[0] ?? ''));
  return said === undefined || said.isGuarded ? before : said.words[0] === 'disabled';
}

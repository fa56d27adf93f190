import { BlockList, isIP, isIPv4 } from 'node:net';

/** One filter rule as `pfctl -sr` prints it: lists and macros expanded, one rule a line. */
interface PfRule {
  /** The line itself. */
  readonly text: string;
  readonly action: 'pass' | 'block';
  readonly quick: boolean;
  readonly direction: 'in' | 'out' | null;
  /** Null: any. May be a group. */
  readonly on: { readonly name: string; readonly not: boolean } | null;
  readonly family: 'inet' | 'inet6' | null;
  /** As printed: a name of /etc/protocols or a number; null: any. */
  readonly proto: string | null;
  readonly from: PfPlace;
  readonly to: PfPlace;
  /** Anything else that a packet has to be; empty: nothing. */
  readonly conditions: readonly string[];
}

interface PfPlace {
  /** `any`, an address or network, `<table>`, `(interface)`, … */
  readonly address: string;
  readonly not: boolean;
  /** As printed, "= https" or "1024:65535"; null: any. */
  readonly port: string | null;
}

export interface PfRules {
  readonly rules: readonly (PfRule | PfAnchor)[];
}

/** Rules of their own, which `pfctl -sr` does not print, for packets that match `condition`. */
interface PfAnchor {
  readonly anchor: string;
  readonly condition: PfRule;
}

/** A packet that the pair depends on. Null where the address does not matter or is not known. */
export interface PfPacket {
  readonly interface: string;
  readonly direction: 'in' | 'out';
  readonly family: 'inet' | 'inet6';
  readonly proto: 'carp' | 'icmp' | 'ipv6-icmp' | 'tcp';
  readonly from: string | null;
  readonly to: string | null;
  /** Destination port of TCP; null for others. */
  readonly port: number | null;
}

/** What pf does with a packet; `depends` on something a rule list does not tell. `rules` decide it. */
export interface PfVerdict {
  readonly action: 'pass' | 'block' | 'depends';
  readonly rules: readonly string[];
  /** Anchors before the decision whose rules may decide otherwise. */
  readonly anchors: readonly string[];
}

/**
 * The filter rules in the output of `pfctl -sr` (print_rule(), FreeBSD sbin/pfctl/pfctl_parser.c).
 * scrub, match and what is no filter rule are left out; anchors are kept, since they may decide. So
 * are those whose rules are printed behind them in braces: those count only for what gets there.
 */
export function parsePfRules(text: string): PfRules {
  let depth = 0;
  const rules = text.split('\n').flatMap((line): PfRules['rules'] => {
    const words = line.trim().match(/"[^"]*"|\([^)]*\)|\S+/g) ?? [];
    const [first = ''] = words;
    const isInside = depth > 0;
    if (words.at(-1) === '{') {
      words.pop();
      depth += 1;
    } else if (first === '}') depth = Math.max(0, depth - 1);
    if (isInside) return [];
    if (first === 'anchor') {
      const name = /^["/\w*]/.test(words[1] ?? '') && !CONDITIONS.has(words[1] ?? '') ? 2 : 1;
      return [{ anchor: line.trim(), condition: rule(line.trim(), 'pass', words.slice(name)) }];
    }
    return first === 'pass' || first === 'block' ? [rule(line.trim(), first, words.slice(1))] : [];
  });
  return { rules };
}

/** What may stand behind an anchor that has no name. */
const CONDITIONS = new Set('in out log quick on inet inet6 proto from to all'.split(' '));

const ANY: PfPlace = { address: 'any', not: false, port: null };
/** Words with one value that say nothing of the packet. */
const REMARKS = new Set(['label', 'ridentifier', 'queue', 'rtable', 'tag', 'dnpipe', 'dnqueue']);
const STATE = new Set(['keep', 'modulate', 'synproxy', 'no', 'state', 'allow-opts', 'log', 'all']);
const ROUTES = new Set(['route-to', 'reply-to', 'dup-to']);

function rule(text: string, action: PfRule['action'], words: string[]): PfRule {
  const found: { -readonly [K in keyof PfRule]: PfRule[K] } = {
    text,
    action,
    quick: false,
    direction: null,
    on: null,
    family: null,
    proto: null,
    from: ANY,
    to: ANY,
    conditions: [],
  };
  const next = (): string => words.shift() ?? '';
  const isNot = (): boolean => words[0] === '!' && next() === '!';
  const place = (): PfPlace => {
    const not = isNot();
    let address = words[0] === 'port' ? 'any' : next();
    // "10.0.0.1 - 10.0.0.9" is a range, and of no form that is compared here.
    if (words[0] === '-') address = `${address} ${next()} ${next()}`;
    if (words[0] !== 'port') return { address, not, port: null };
    next();
    const port = /^(?:=|!=|<=?|>=?)$/.test(words[0] ?? '') ? `${next()} ${next()}` : next();
    // "1 >< 9" and "1 <> 9" are ranges.
    const range = /^(?:><|<>)$/.test(words[0] ?? '') ? ` ${next()} ${next()}` : '';
    return { address, not, port: `${port}${range}` };
  };
  while (words.length > 0) {
    const word = next();
    if (word === 'in' || word === 'out') found.direction = word;
    else if (word === 'quick') found.quick = true;
    else if (word === 'inet' || word === 'inet6') found.family = word;
    else if (word === 'on') {
      const not = isNot();
      found.on = { name: next(), not };
    } else if (word === 'proto') found.proto = next();
    else if (word === 'from') found.from = place();
    else if (word === 'to') found.to = place();
    else if (word === 'flags') {
      // A new connection has SYN of S/SA; "any" asks for nothing.
      const flags = next();
      if (flags !== 'S/SA' && flags !== 'any') found.conditions = [...found.conditions, flags];
    } else if (REMARKS.has(word) || ROUTES.has(word)) next();
    else if (!STATE.has(word) && !/^(drop|return.*)$/.test(word) && !/^[("]/.test(word))
      found.conditions = [...found.conditions, word];
  }
  return found;
}

/**
 * What becomes of a packet: the last rule that matches decides, or the first with `quick`; without
 * any it passes (pf.conf(5)). Where a rule may match or not (a table, a group, an anchor) and it
 * matters, the verdict is `depends`.
 */
export function pfVerdict({ rules }: PfRules, packet: PfPacket): PfVerdict {
  const certain: (PfRule | null)[] = [];
  let last: (PfRule | null)[] = [null];
  const anchors: string[] = [];
  for (const one of rules) {
    if ('anchor' in one) {
      if (matches(one.condition, packet) !== 'no') anchors.push(one.anchor);
      continue;
    }
    const matched = matches(one, packet);
    if (matched === 'no') continue;
    if (one.quick) certain.push(one);
    if (one.quick && matched === 'yes') {
      last = [];
      break;
    }
    if (!one.quick) last = matched === 'yes' ? [one] : [...last, one];
  }
  const decide = [...certain, ...last];
  const actions = new Set(decide.map((one) => one?.action ?? 'pass'));
  const [only] = actions.size === 1 ? actions : [];
  const texts = decide.flatMap((one) => (one === null ? [] : [one.text]));
  // An anchor may hold a quick rule; most are empty, so it is only told where nothing is certain.
  const action = only ?? 'depends';
  return { action, rules: only === undefined ? [...anchors, ...texts] : texts, anchors };
}

type Match = 'yes' | 'no' | 'maybe';

function matches(one: PfRule, packet: PfPacket): Match {
  const all: Match[] = [
    one.direction === null || one.direction === packet.direction ? 'yes' : 'no',
    one.family === null || one.family === packet.family ? 'yes' : 'no',
    one.proto === null || NAMES[packet.proto].includes(one.proto) ? 'yes' : 'no',
    one.on === null ? 'yes' : not(one.on.not, onInterface(one.on.name, packet.interface)),
    atPlace(one.from, packet.from, null),
    atPlace(one.to, packet.to, packet.port),
    one.conditions.length === 0 ? 'yes' : one.conditions.includes('fragment') ? 'no' : 'maybe',
  ];
  if (all.includes('no')) return 'no';
  return all.includes('maybe') ? 'maybe' : 'yes';
}

/** /etc/protocols names 112 `carp`, elsewhere `vrrp`; pfctl prints what it finds there. */
const NAMES: Readonly<Record<PfPacket['proto'], readonly string[]>> = {
  carp: ['carp', 'vrrp', '112'],
  icmp: ['icmp', '1'],
  'ipv6-icmp': ['ipv6-icmp', 'icmp6', '58'],
  tcp: ['tcp', '6'],
};

const not = (negated: boolean, match: Match): Match =>
  !negated || match === 'maybe' ? match : match === 'yes' ? 'no' : 'yes';

/** Names of interfaces end in a digit and those of groups do not (ifconfig(8)). */
function onInterface(name: string, own: string): Match {
  if (name === own || name === 'any') return 'yes';
  return /\d$/.test(name) ? 'no' : own.replace(/\d+$/, '') === name ? 'yes' : 'maybe';
}

function atPlace(place: PfPlace, address: string | null, port: number | null): Match {
  const there = not(place.not, atAddress(place.address, address));
  if (there === 'no' || place.port === null) return there;
  if (port === null) return 'maybe';
  const [, word = ''] = /^= (\S+)$/.exec(place.port) ?? [];
  const number = /^\d+$/.test(word) ? Number(word) : PORTS[word];
  const [, low, high] = /^(\d+):(\d+)$/.exec(place.port) ?? [];
  if (low !== undefined) return port >= Number(low) && port <= Number(high) ? there : 'no';
  if (number === undefined) return 'maybe';
  return number === port ? there : 'no';
}

const PORTS: Readonly<Record<string, number>> = { ssh: 22, domain: 53, http: 80, https: 443 };

function atAddress(place: string, address: string | null): Match {
  if (place === 'any') return 'yes';
  const [base = '', length] = place.split('/');
  if (address === null || isIP(base) === 0) return 'maybe';
  if (isIP(base) !== isIP(address)) return 'no';
  const family = isIPv4(base) ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(
    base,
    length === undefined ? (family === 'ipv4' ? 32 : 128) : Number(length),
    family,
  );
  return block.check(address, family) ? 'yes' : 'no';
}

/**
 * The interfaces and groups in `pfctl -s Interfaces -v` on which pf does nothing (`set skip on`),
 * "lo0 (skip)" each (pfi_print_if() in FreeBSD sbin/pfctl). Of a group it marks the members too.
 */
export const skippedIn = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^(\S+) \(skip\)/.exec(line)?.[1] ?? []);

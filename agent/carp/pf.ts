/** What pf's rules do with a CARP advert; `rule` is the one that decides, null for pf's own "pass". */
export interface PfVerdict {
  readonly passes: boolean;
  readonly rule: string | null;
}

export interface Advert {
  readonly interface: string;
  readonly family: 'inet' | 'inet6';
  readonly direction: 'in' | 'out';
}

/**
 * Goes through the output of `pfctl -sr` as pf.conf(5) says: the last rule
 * that matches decides, or the first with `quick`. A rule for particular
 * addresses counts where it passes (it was written for adverts) and not where
 * it blocks, unless it names CARP's group. Anchors are not followed.
 */
export function pfVerdict(rules: string, advert: Advert): PfVerdict {
  let verdict: PfVerdict = { passes: true, rule: null };
  for (const line of rules.split('\n')) {
    const rule = line.trim();
    const words = rule.split(/\s+/);
    if ((words[0] !== 'pass' && words[0] !== 'block') || !matches(words, advert)) continue;
    verdict = { passes: words[0] === 'pass', rule };
    if (words.includes('quick')) return verdict;
  }
  return verdict;
}

const PROTO = new Set(['carp', 'vrrp', '112']);
const GROUPS = new Set(['224.0.0.18', 'ff02::12', 'any']);

function matches(words: readonly string[], { interface: on, family, direction }: Advert): boolean {
  const body = words.findIndex((word) => word === 'all' || word === 'from');
  const head = body < 0 ? words : words.slice(0, body);
  if (head.includes(direction === 'in' ? 'out' : 'in')) return false;
  if (head.includes(family === 'inet' ? 'inet6' : 'inet')) return false;
  const proto = next(head, 'proto');
  if (proto !== null && !PROTO.has(proto)) return false;
  const named = next(head, 'on');
  const isOn = (name: string): boolean => name === on || name === on.replace(/\d+$/, '');
  if (named === '!') return !isOn(head[head.indexOf('!') + 1] ?? '');
  if (named !== null && !isOn(named)) return false;
  if (words[0] === 'pass' || body < 0 || words[body] === 'all') return true;
  const [from, to] = [next(words, 'from'), next(words, 'to')];
  return from === 'any' && GROUPS.has(to ?? 'any');
}

const next = (words: readonly string[], word: string): string | null => {
  const at = words.indexOf(word);
  return at < 0 ? null : (words[at + 1] ?? null);
};

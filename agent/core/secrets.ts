/**
 * The text with passwords replaced by `mask`: the one function for whatever leaves a host or is
 * printed. It rather hides too much: a value may stand in quotes, behind blanks, TABs, `=` or a
 * continued line (of a diff too), and have quotes inside.
 *
 * - ifconfig(8) and rc.conf(5), where the text speaks of CARP: `pass X`, and `key "X"` as
 *   `ifconfig -k` prints it. A rule of pf begins with `pass` and is left as it is;
 * - hexadecimal keys behind `key`, `authkey` and the like;
 * - what is assigned to a name that ends in pass, password, passwd, secret, psk or token;
 * - haproxy.conf: `stats auth USER:X`, `user NAME password X`, `insecure-password X`;
 * - Authorization headers, passwords in URLs, private keys in PEM.
 */
export function withoutSecrets(text: string, mask = 'PASSWORD'): string {
  const rules = CARP.test(text) ? [...CARP_RULES, ...RULES] : RULES;
  return rules.reduce((rest, rule) => rest.replace(rule, `$1${mask}`), text);
}

/** Words of ifconfig(8) that no rule of pf has. */
const CARP = /\b(?:vhid|advskew|advbase|ifconfig(?:_\w+)?)\b/;

/** One word of sh(1): letters, escapes, and whole strings in quotes, which may be escaped themselves. */
const VALUE = String.raw`(?:\\"(?:[^"\\]|\\[^"])*\\"|\\'[^']*\\'|"[^"\n]*"|'[^'\n]*'|\\.|\\\n[-+ ]?|[^\s"'\\])+`;
/** Blanks, also over the end of a line that goes on, with what a diff puts before the next. */
const GAP = String.raw`(?:\\\n[-+]?|\s)+`;

const rule = (before: string, flags = 'g'): RegExp => new RegExp(`(${before})${VALUE}`, flags);

const CARP_RULES: readonly RegExp[] = [
  rule(String.raw`(?<![\w-])pass(?:\s*=\s*|${GAP})`),
  /(\bkey\s+)"[^\n]*"/g,
];
const RULES: readonly RegExp[] = [
  rule(String.raw`\b\w*(?:pass|passwd|password|passphrase|secret|psk|token)\s*=\s*`, 'gi'),
  rule(String.raw`\buser${GAP}\S+${GAP}password${GAP}`),
  rule(String.raw`\binsecure-password${GAP}`),
  /(\bstats\s+auth\s+[^\s:]+:)\S+/g,
  /((?<![\w-])(?:auth|enc|wep|nw)?key\s+)(?:0x[0-9a-f]+|[0-9a-f]{16,})/gi,
  /(\bauthorization:?["']?\s+["']?(?:basic|bearer)(?:\\?\s)+)[^\s"']+/gi,
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+(?=@)/gi,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?=-----END|$)/g,
];

/** The same for every text within a value that travels as JSON. */
export function clearOfSecrets<T>(value: T): T {
  if (typeof value === 'string') return withoutSecrets(value) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => clearOfSecrets(one)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, clearOfSecrets<unknown>(one)]),
  ) as T;
}

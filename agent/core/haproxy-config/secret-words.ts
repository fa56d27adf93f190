import type { Word } from './words.ts';

/** Characters of a word that are secret: of its value, the end not included. */
export interface Hidden {
  /** Which word. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** What names of headers, of variables and of fields in a text say of the value beside them. */
const NAME = /passw|passphrase|pwd|secret|token|credential|api[-_]?key|private[-_]?key|psk/i;
const HEADER = new RegExp(`${NAME.source}|auth|[-_]key$|session|signature`, 'i');
const VARIABLE = new RegExp(`${NAME.source}|auth|_key$|_pass$|_pw$|^key$|^pass$`, 'i');

/** Words of which the next is the secret. */
const BEFORE =
  /^(?:(?:insecure-)?password|passwd|passphrase|secret|psk|api[-_]?key|token|key)[:=]?$/i;
/** An argument of a program (`program`, `external-check`, lua): the next is the secret. */
const OPTION = /^--?[\w-]*(?:pass(?:word|wd|phrase)?|secret|token|key)$/i;
/** Directives of which the next word is a name that somebody chose. */
const NAMING = new Set(
  (
    'defaults frontend backend listen userlist peers resolvers cache mailers program ring server ' +
    'server-template default_backend use_backend use-server acl bind user group cookie nameserver ' +
    'peer mailer table http-errors fcgi-app log-forward log-profile crt-store acme filter'
  ).split(' '),
);
/** Directives whose words are all secret: cluster-secret, dynamic-cookie-key. */
const WHOLE = /(?:^|[-.])(?:secret|key|password|passphrase|token)$/i;
/** Where a condition begins, or the next of its terms. */
const CONDITION = new Set(['if', 'unless', 'or', '||', '{', '}']);

/** A sample whose argument names what it takes: hdr(x-api-key), url_param(token). */
const SAMPLE = /(?:hdr|cook|cookie|param|urlp|var|env|query|header)[\w.]*\(([^),]*)/i;
/** Converters whose arguments are keys. */
const KEYED = /\b(?:hmac|aes_\w+|jwt_verify\w*|jwt_decrypt\w*)\(([^)]*)/gi;
const OWN_VALUE = /^\s*(?:(?:proc|sess|txn|req|res|check)\.[\w.]+|"?\/[^,]*|\d*)\s*$/;

/** Within one word. */
const WITHIN: readonly RegExp[] = [
  /\b(?:basic|bearer|digest)\s+(\S+)/dgi,
  /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@]*:([^\s@/]+)@/dgi,
  /(?:pass|passwd|password|passphrase|pwd|secret|token|api[-_]?key|psk|credentials?)["']?\s*[=:]\s*("[^"]*"|'[^']*'|[^"'&;,\s}]+)/dgi,
];

/**
 * The secrets of one line of haproxy.conf, out of its words, in order and apart: passwords of
 * userlists and of `stats auth`, what is put into or compared with headers, variables and
 * parameters that are called like a secret, keys of converters, credentials in URLs and in what
 * checks send. It rather hides too much.
 */
export function secretsIn(words: readonly Word[]): readonly Hidden[] {
  const found: Hidden[] = [];
  const values = words.map(({ value }) => value);
  const lower = values.map((one) => one.toLowerCase());
  const [first = '', second = ''] = lower;
  const all = (at: number, from = 0): void => {
    const { length } = values[at] ?? '';
    if (at < values.length && from < length) found.push({ at, from, to: length });
  };
  /** Up to the condition. */
  const rest = (at: number): void => {
    for (let one = at; one < values.length; one += 1) {
      if (lower[one] === 'if' || lower[one] === 'unless') return;
      all(one);
    }
  };
  if (first === 'stats' && second === 'auth') all(2, (values[2] ?? '').indexOf(':') + 1);
  if (WHOLE.test(first)) rest(1);
  if (/^(?:pre)?setenv$/.test(first) && VARIABLE.test(second)) rest(2);
  if (first === 'tcp-check' && /^(?:send|expect)/.test(second)) sent(values, all);

  const condition = lower.findIndex((one) => one === 'if' || one === 'unless');
  for (const [at, value] of values.entries()) {
    const next = lower[at + 1] ?? '';
    const isName =
      at === 0 ||
      (at === 1 && NAMING.has(first)) ||
      first === 'load' ||
      // There stand names of acls.
      (condition >= 0 && at > condition);
    if ((!isName && BEFORE.test(value)) || OPTION.test(value) || /^(?:basic|bearer)$/i.test(value))
      if (!CONDITION.has(next)) all(at + 1);
    if (/^(?:set|add|replace)-(?:header|value)$/.test(value) && HEADER.test(next)) rest(at + 2);
    if (/^(?:set|add)-header$/.test(value) && next === 'cookie') rest(at + 2);
    if (value === 'hdr' && HEADER.test(next)) all(at + 2);
    const [, variable = ''] = /^set-var(?:-fmt)?\(([^)]*)\)$/.exec(value) ?? [];
    if (isVariable(variable))
      literals(values, at + 1, lower[at]?.startsWith('set-var-fmt') ?? false, all);
    if (first === 'set-var' || first === 'set-var-fmt')
      if (at === 1 && isVariable(value)) literals(values, 2, first === 'set-var-fmt', all);
    const [, sample = ''] = SAMPLE.exec(value) ?? [];
    if (sample !== '' && HEADER.test(sample)) patterns(values, at, first === 'acl', all);
    inside(value, at, found);
  }
  return apart(found);
}

const isVariable = (name: string): boolean =>
  name !== '' && VARIABLE.test(name.replace(/^.*\./, ''));

type All = (at: number, from?: number) => void;

/** What is put into a variable: a text, or an expression with one in it. */
function literals(values: readonly string[], from: number, isText: boolean, all: All): void {
  for (let at = from; at < values.length; at += 1) {
    const value = values[at] ?? '';
    if (value === 'if' || value === 'unless') return;
    if (isText || /\b(?:str|bin)\(/.test(value)) all(at);
  }
}

/** What a sample is compared with: behind it in an acl, and up to the brace elsewhere. */
function patterns(values: readonly string[], sample: number, isAcl: boolean, all: All): void {
  if (!isAcl && !/^!?\{$/.test(values[sample - 1] ?? '')) return;
  for (let at = sample + 1; at < values.length; at += 1) {
    const value = values[at] ?? '';
    if (!isAcl && value === '}') return;
    if (/^-[mfMuT]$/.test(value)) at += 1;
    else if (!/^--?[inM]?$/.test(value)) all(at);
  }
}

/** What a check says to a server: the whole of it where it speaks of passwords. */
function sent(values: readonly string[], all: All): void {
  for (const [at, value] of values.entries()) {
    if (at < 2) continue;
    const isHex = /^(?:[0-9a-f]{2})+$/i.test(value);
    const text = isHex
      ? value.replaceAll(/../g, (two) => String.fromCharCode(parseInt(two, 16)))
      : '';
    if ([value, text].some((one) => HEADER.test(one) || /\b(?:pass|login)\b/i.test(one))) all(at);
  }
}

function inside(value: string, at: number, found: Hidden[]): void {
  for (const rule of WITHIN)
    for (const { indices } of value.matchAll(rule)) {
      const [from, to] = indices?.[1] ?? [0, 0];
      found.push({ at, from, to });
    }
  for (const match of value.matchAll(KEYED)) {
    const [whole, given = ''] = match;
    if (
      given
        .split(',')
        .slice(1)
        .every((one) => OWN_VALUE.test(one))
    )
      continue;
    const to = match.index + whole.length;
    found.push({ at, from: to - given.length, to });
  }
}

/** In order, and what overlaps as one. */
function apart(found: readonly Hidden[]): Hidden[] {
  const out: Hidden[] = [];
  for (const one of found.toSorted((a, b) => a.at - b.at || a.from - b.from)) {
    const last = out.at(-1);
    if (last?.at === one.at && one.from <= last.to)
      out[out.length - 1] = { ...last, to: Math.max(last.to, one.to) };
    else if (one.from < one.to) out.push(one);
  }
  return out;
}

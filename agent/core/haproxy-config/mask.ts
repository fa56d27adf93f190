import { secretsIn, type Hidden } from './secret-words.ts';
import { SECTIONS } from './sections.ts';
import { placedWords, quoted, type Word } from './words.ts';

/**
 * What stands instead of a secret: one word without blanks and quotes. `place` is where it stands
 * (its section, and the line before it): the same value elsewhere need not get the same mark.
 */
export type Mark = (place: string, value: string) => string;

/** A longer line is hidden as a whole: HAProxy takes 2048 characters unless told otherwise. */
export const LONGEST_LINE = 16_384;

/** Lines without any of these hold no secret that is looked for. */
const SUSPECT =
  /pass|pwd|secret|token|key|auth|cred|psk|basic|bearer|digest|hmac|aes_|jwt|session|signature|header\s+cookie|tcp-check|:\/\/\S*@/i;
/** A comment that speaks of these may say one in any words. */
const TELLING = /passw|passphrase|pwd|secret|token|credential/i;
/** Directives with secrets, as they stand in lines that are commented out. */
const DIRECTIVES =
  /^(?:user|stats|setenv|presetenv|http-request|http-response|http-after-response|http-check|tcp-check|tcp-request|option|acl|server|default-server|set-var|set-var-fmt|cluster-secret|dynamic-cookie-key|use_backend|command)$/;

/**
 * Hides the secrets of a haproxy.conf line by line, in order: the returned function takes a line
 * and gives it with marks instead of them. What a terminal would obey is replaced too. Lines stay
 * lines, and what is no secret stays as it is written.
 */
export function masker(mark: Mark): (raw: string) => string {
  let section = '';
  return (raw) => {
    const line = raw.replaceAll(CONTROL, '\uFFFD');
    if (line.length > LONGEST_LINE) return mark(section, line);
    const title = /^\s*([a-z-]+)(?:\s+([^\s#]+))?/.exec(line);
    if (title !== null && SECTIONS.has(title[1] ?? '')) section = title.slice(1).join(' ');
    return SUSPECT.test(line) ? masked(line, section, mark) : line;
  };
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

function masked(line: string, section: string, mark: Mark): string {
  const { words, end } = placedWords(line);
  const code = withMarks(line.slice(0, end), words, section, mark);
  const comment = line.slice(end);
  if (!SUSPECT.test(comment)) return code + comment;
  const [, hash = '', text = '', after = ''] = /^([#\s]*)(.*?)(\s*)$/s.exec(comment) ?? [];
  const [first = ''] = /^\S+/.exec(text) ?? [];
  if (!DIRECTIVES.test(first) && TELLING.test(text))
    return code + hash + mark(section, text) + after;
  return code + hash + masked(text, section, mark) + after;
}

function withMarks(line: string, words: readonly Word[], section: string, mark: Mark): string {
  const secrets = secretsIn(words).filter((one) => !isReference(line, words[one.at], one));
  let out = '';
  let done = 0;
  // What stands before a secret, the ones before it left out.
  let before = section;
  let next = 0;
  for (const [at, { value, start, end }] of words.entries()) {
    before += `\n${value.slice(0, secrets[next]?.at === at ? secrets[next]?.from : undefined)}`;
    if (secrets[next]?.at !== at) continue;
    let word = '';
    let from = 0;
    for (; secrets[next]?.at === at; next += 1) {
      const one = secrets[next] ?? { from, to: from };
      word += value.slice(from, one.from) + mark(before, value.slice(one.from, one.to));
      before += '*';
      from = one.to;
    }
    out += line.slice(done, start) + quoted(word + value.slice(from));
    done = end;
  }
  return out + line.slice(done);
}

/** `"${NAME}"` is no secret: it stands in the environment of HAProxy. */
function isReference(line: string, word: Word | undefined, { from, to }: Hidden): boolean {
  const raw = word === undefined ? '' : line.slice(word.start, word.end);
  return /^"[^"\\]*"$/.test(raw) && /^\$\{\w+\}$/.test(word?.value.slice(from, to) ?? '');
}

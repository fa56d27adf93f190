import type { Role } from './acts.ts';
import { ActFailure } from './results.ts';
import { nearest } from './words.ts';

/** A runtime command that may be asked of every node, and by whom. */
export interface ShowCommand {
  /** As it is sent, without the newline. */
  readonly text: string;
  readonly role: Role;
}

/** The reply of one HAProxy, as bytes: crt-lists have NULs, names need not be UTF-8. */
export interface ShowReply {
  readonly bytes: Uint8Array;
  /** It goes on after SHOW_LIMIT. */
  readonly cut: boolean;
}

/** How one node answered a command. */
export interface NodeShow extends ShowReply {
  readonly node: string;
  /** Why there is no reply; empty: there is. */
  readonly problem: string;
}

/** What `proxyctl haproxy` shows. */
export interface ShowAnswer {
  readonly node: string;
  readonly nodes: readonly NodeShow[];
}

/**
 * So much of a reply is passed on, bytes: `show stat` of 10,000 servers is 2.6 MB, and a message
 * of gRPC carries 4 MB.
 */
export const SHOW_LIMIT = 3 << 20;

interface Allowed {
  readonly words: string;
  /** Words that may follow. */
  readonly args: number;
  readonly role: Role;
}

const NAME = 1;
const NONE = 0;

/**
 * Readings that hold no secret and cost HAProxy little. Left out on purpose: env (secrets of its
 * environment), errors and "sess all" (requests of clients), map and acl (may hold tokens),
 * tls-keys (ticket keys), startup-logs (quotes the configuration), fd, threads, profiling, trace
 * and dev (for its developers; some stop all threads), and json (fifty times the bytes).
 */
const ALLOWED: readonly Allowed[] = [
  { words: 'activity', args: NONE, role: 'viewer' },
  { words: 'backend', args: NONE, role: 'viewer' },
  { words: 'cache', args: NONE, role: 'viewer' },
  { words: 'cli level', args: NONE, role: 'viewer' },
  { words: 'cli sockets', args: NONE, role: 'viewer' },
  // The names of the buffers; what is in one may be anything.
  { words: 'events', args: NONE, role: 'viewer' },
  { words: 'info', args: 3, role: 'viewer' },
  { words: 'peers', args: NAME, role: 'viewer' },
  { words: 'pools', args: 3, role: 'viewer' },
  { words: 'resolvers', args: NAME, role: 'viewer' },
  { words: 'servers conn', args: NAME, role: 'viewer' },
  { words: 'servers state', args: NAME, role: 'viewer' },
  // Addresses of clients.
  { words: 'sess', args: NONE, role: 'operator' },
  { words: 'ssl ca-file', args: NAME, role: 'viewer' },
  { words: 'ssl cert', args: NAME, role: 'viewer' },
  { words: 'ssl crl-file', args: NAME, role: 'viewer' },
  { words: 'ssl crt-list', args: 2, role: 'viewer' },
  { words: 'ssl ocsp-response', args: NAME, role: 'viewer' },
  { words: 'ssl ocsp-updates', args: NONE, role: 'viewer' },
  { words: 'ssl sni', args: 5, role: 'viewer' },
  { words: 'stat', args: 4, role: 'viewer' },
  // Its keys may be addresses or cookies of clients; without a name it lists the tables.
  { words: 'table', args: 4, role: 'operator' },
  { words: 'version', args: NONE, role: 'viewer' },
];

/** Everything else could end the command, start another or a payload, or go to another process. */
const WORD = /^(?!--)[A-Za-z0-9_.:/*+,=[\]-]+$/;
/** Known options that make a reading something else, or too dear. */
const DEAR = new Set(['json', 'all']);

/** What may be asked, for help and refusals. */
export const SHOW_NAMES: readonly string[] = ALLOWED.map(({ words }) => words);

/**
 * One read-only command of HAProxy's runtime API, from the words of a command
 * line. Throws ActFailure 'usage' for every other, with what may be asked.
 */
export function showCommand(line: readonly string[]): ShowCommand {
  const words = line.flatMap((part) => part.split(' ')).filter((one) => one !== '');
  const text = words.join(' ');
  const strange = words.find((one) => !WORD.test(one));
  if (strange !== undefined)
    throw refused(`${JSON.stringify(strange)} cannot be part of a command`, '');
  const [verb, ...rest] = words;
  if (verb !== 'show') {
    const cause = verb === undefined ? '' : 'only commands that show something are passed on';
    throw refused(`${JSON.stringify(text)} is not passed on to HAProxy`, cause);
  }
  const known = ALLOWED.find(({ words: name }) => starts(rest, name.split(' ')));
  if (known === undefined) {
    const near = nearest(rest.slice(0, 2).join(' '), SHOW_NAMES) ?? nearest(rest[0] ?? '', FIRST);
    throw refused(
      `${JSON.stringify(text)} is not passed on to HAProxy`,
      near === null ? '' : `did you mean show ${near}?`,
    );
  }
  const args = rest.slice(known.words.split(' ').length);
  const dear = args.find((one) => DEAR.has(one));
  if (args.length > known.args || dear !== undefined)
    throw refused(
      `${JSON.stringify(text)} is not passed on to HAProxy`,
      dear === undefined
        ? `show ${known.words} takes ${known.args === 0 ? 'no more words' : `${known.args} more at most`}`
        : `${JSON.stringify(dear)} is not`,
    );
  const role = known.words === 'table' && args.length === 0 ? 'viewer' : known.role;
  return { text, role };
}

/** A command as a log names it: its known words and nothing of what a caller wrote behind them. */
export function showName(command: string): string {
  const [verb, ...rest] = command.split(' ', 4);
  const known = ALLOWED.find(({ words }) => starts(rest, words.split(' ')));
  return verb === 'show' && known !== undefined ? `show ${known.words}` : 'show';
}

const FIRST = SHOW_NAMES.map((name) => name.split(' ')[0] ?? '');

const starts = (words: readonly string[], name: readonly string[]): boolean =>
  name.every((one, at) => words[at] === one);

const refused = (message: string, cause: string): ActFailure =>
  new ActFailure('usage', {
    code: 'not_allowed',
    message,
    cause,
    remediation: `these are: show ${SHOW_NAMES.join(', ')}`,
  });

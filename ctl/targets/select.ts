import { isIP } from 'node:net';
import { isatty } from 'node:tty';
import { adminWord } from '../../agent/core/servers/admin.ts';
import type { ServerReading, ServersAnswer } from '../../agent/core/answers.ts';
import { serverKey } from '../../agent/core/intents.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { usage } from '../failure.ts';
import { serverNames } from '../json/servers.ts';

/** What is named on the command line. */
export interface Asked {
  /** BACKEND, BACKEND/SERVER, or either with * and ?; with a host none means all. */
  readonly targets: readonly string[];
  /** The IP of a machine; null: any. */
  readonly host: string | null;
}

/** One server that is meant, over the nodes. */
interface SelectedServer {
  readonly name: string;
  /** Each that a node says, and so with the states. */
  readonly addresses: readonly string[];
  readonly states: readonly string[];
  readonly sessions: number;
}

/** How the operator is asked whether the servers are the right ones. */
export interface Manner {
  readonly verb: string;
  readonly output: 'table' | 'json';
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** What the names meant when they were looked up. */
export interface Selection {
  readonly servers: readonly SelectedServer[];
  /** What was not looked at, and why: a sentence each. */
  readonly notes: readonly string[];
}

const MOST_NAMED = 10;

/** Whether names have to be looked up: a host or a pattern. HAProxy allows neither * nor ? in a name. */
export const isSelection = ({ targets, host }: Asked): boolean =>
  host !== null || targets.some((target) => /[*?]/.test(target));

/** Throws ActFailure 'usage' where nothing is named, or the host is no IP. */
export function checkAsked({ targets, host }: Asked, verb: string): void {
  if (host !== null && isIP(host) === 0)
    throw usage(
      `--host ${JSON.stringify(host)} is no IP address`,
      'the address as HAProxy has it: proxyctl servers -o json',
    );
  if (host === null && targets.length === 0)
    throw usage(`${verb} wants a target`, `proxyctl ${verb} WEB/web1, or --host ADDRESS`);
}

/** Throws ActFailure 'usage' where a question would be asked and nobody is there to answer it. */
export function checkCanAsk({ verb, output, yes, dryRun }: Manner): void {
  if (yes || dryRun || (output === 'table' && isatty(0) && isatty(2))) return;
  throw usage(
    `${verb} asks first where servers are not named one by one`,
    'look with --dry-run, then add --yes',
    output === 'json' ? 'with -o json it asks nobody' : 'there is no terminal to ask on',
  );
}

/**
 * The servers that are meant, in HAProxy's order. Throws ActFailure 'not-found'
 * for a target without any, and 'failed' where a host is meant and no agent
 * says the addresses of its servers.
 */
export function select(answer: ServersAnswer, { targets, host }: Asked): Selection {
  const names = serverNames(answer);
  const patterns = targets.map((target) => ({ target, pattern: patternOf(target) }));
  for (const { target, pattern } of patterns)
    if (!names.some((name) => pattern.test(name)))
      throw new ActFailure('not-found', {
        code: 'no_such_server',
        message: `no server is ${target}`,
        cause: `there are ${few(names)}`,
        remediation: 'nothing was touched; proxyctl servers lists them',
      });
  if (host !== null) refuseUnsaid(answer);
  const meant = names.filter(
    (name) => patterns.length === 0 || patterns.some(({ pattern }) => pattern.test(name)),
  );
  const all = selected(answer, meant);
  const servers = all.filter(
    ({ addresses }) => host === null || addresses.some((one) => isSame(one, host)),
  );
  if (servers.length === 0) throw nobodyOn(host ?? '', all);
  return { servers, notes: answer.nodes.flatMap((node) => noteOf(node, host)) };
}

/** A target with its wildcards, for BACKEND/SERVER; a backend alone is all of it. */
function patternOf(target: string): RegExp {
  const whole = target.includes('/') ? target : `${target}/*`;
  const pattern = whole
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${pattern}$`);
}

/** IPv6 in whatever spelling. */
const isSame = (one: string, other: string): boolean => canonical(one) === canonical(other);

function canonical(address: string): string {
  if (isIP(address) !== 6) return address;
  try {
    return new URL(`http://[${address}]`).hostname;
  } catch {
    // With a zone: no URL takes it.
    return address.toLowerCase();
  }
}

/** These servers, each over all nodes. */
function selected({ nodes, intents }: ServersAnswer, names: readonly string[]): SelectedServer[] {
  const readings = new Map<string, ServerReading[]>(names.map((name) => [name, []]));
  for (const { servers } of nodes)
    for (const one of servers) readings.get(`${one.backend}/${one.name}`)?.push(one);
  const wishes = new Set(intents.map(({ key }) => key));
  return [...readings].map(([name, found]) => {
    const each = (of: (one: ServerReading) => string | null): string[] => [
      ...new Set(found.flatMap((one) => of(one) ?? [])),
    ];
    const state = (one: ServerReading): string =>
      adminWord(one.adminBits, wishes.has(serverKey('', one.backend, one.name)));
    return {
      name,
      addresses: each(({ address }) => address),
      states: each(state),
      sessions: found.reduce((sum, { sessions }) => sum + sessions, 0),
    };
  });
}

const isOlder = ({ servers }: ServersAnswer['nodes'][number]): boolean =>
  servers.length > 0 && servers.every(({ address }) => address === null);

function refuseUnsaid({ nodes }: ServersAnswer): void {
  const heard = nodes.filter(({ servers }) => servers.length > 0);
  if (heard.length === 0 || !heard.every(isOlder)) return;
  throw new ActFailure('failed', {
    code: 'addresses_not_said',
    message: 'no agent says the addresses of its servers',
    cause: `the agent on ${heard.map(({ node }) => node).join(', ')} is older than this proxyctl`,
    remediation: 'name the servers, or install the newer proxyagent',
  });
}

function noteOf(node: ServersAnswer['nodes'][number], host: string | null): string[] {
  if (node.problem !== '') return [`${node.node} was not looked at: ${node.problem}`];
  if (host === null || !isOlder(node)) return [];
  return [
    `${node.node} has an older agent that does not say addresses: what only it has there is left out`,
  ];
}

function nobodyOn(host: string, meant: readonly SelectedServer[]): ActFailure {
  const there = [...new Set(meant.flatMap(({ addresses }) => addresses))];
  return new ActFailure('not-found', {
    code: 'no_such_server',
    message: `no server is on ${host}`,
    cause: `they are on ${few(there)}`,
    remediation: 'nothing was touched; proxyctl servers -o json has each address',
  });
}

const few = (names: readonly string[]): string => {
  if (names.length === 0) return 'none';
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return `${names.slice(0, MOST_NAMED).join(', ')}${more}`;
};

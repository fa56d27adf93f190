import type { ServerReading } from '../core/answers.ts';
import { compareStamps, type ServerTarget } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import { keyOf, nameOf } from './server-targets.ts';
import type { Pair } from './pair.ts';

/** Time between two counts, ms. */
const SAMPLE_MS = 200;
/** Clients that keep a connection between requests are not counted: once without a session proves nothing. */
const ZEROS = 3;
/** So many counts with new sessions are no stragglers any more. */
const STICKY = 2;

/** So many servers are named in a line of progress. */
const NAMED = 3;

/** The sessions of one server on one node. */
export interface Count {
  readonly node: string;
  readonly target: ServerTarget;
  sessions: number;
  /** Older processes of HAProxy that cannot be asked for theirs. */
  uncounted: number;
  /** Counts in a row without a session, and without one that came and went between them. */
  zeros: number;
  /** Of the last count, since HAProxy started; null before the first. */
  total: number | null;
  /** New sessions since the first count, and in how many counts. */
  arrived: number;
  arrivals: number;
  /** Why the last count failed; empty: it did not. */
  problem: string;
}

export interface CountEnd {
  readonly how: 'idle' | 'deadline' | 'superseded';
  readonly counts: readonly Count[];
  /** The wish that took the place of ours. */
  readonly newer: Intent | null;
}

export interface CountOptions {
  readonly targets: readonly ServerTarget[];
  /** Nodes on which it is in force. */
  readonly nodes: readonly string[];
  readonly timeoutMs: number;
  readonly onCount: (counts: readonly Count[]) => void;
}

export const isIdle = ({ zeros }: Count): boolean => zeros >= ZEROS;
/** Clients go on arriving although no new ones are sent there. */
const isSticky = ({ arrivals }: Count): boolean => arrivals >= STICKY;

/**
 * Counts the sessions of servers that are drained, on every node, until there
 * are none, the time is over, or somebody wants it otherwise.
 */
export async function countDown(pair: Pair, options: CountOptions): Promise<CountEnd> {
  const { clock } = pair;
  const { targets, nodes } = options;
  const known = new Map(
    targets.map((target) => [keyOf(target), pair.intents().get(keyOf(target))]),
  );
  const counts = nodes.flatMap((node) => targets.map((target) => newCount(node, target)));
  const deadlineMs = clock.nowMs() + options.timeoutMs;
  for (;;) {
    await sample(pair, counts);
    options.onCount(counts);
    const newer = supersededBy(pair, known);
    if (newer !== null) return { how: 'superseded', counts, newer };
    if (counts.every(isIdle)) return { how: 'idle', counts, newer: null };
    const leftMs = deadlineMs - clock.nowMs();
    if (leftMs <= 0) return { how: 'deadline', counts, newer: null };
    await new Promise<void>((resolve) => void clock.after(Math.min(SAMPLE_MS, leftMs), resolve));
  }
}

const newCount = (node: string, target: ServerTarget): Count => ({
  node,
  target,
  sessions: 0,
  uncounted: 0,
  zeros: 0,
  total: null,
  arrived: 0,
  arrivals: 0,
  problem: '',
});

/** Asks every node once for each backend; one that does not answer keeps its last count. */
async function sample(pair: Pair, counts: readonly Count[]): Promise<void> {
  const asked = new Map(counts.map((one) => [`${one.node} ${one.target.backend}`, one]));
  await Promise.all(
    [...asked.values()].map(async ({ node, target: { backend } }) => {
      const mine = counts.filter((one) => one.node === node && one.target.backend === backend);
      const member = pair.members.find((one) => one.node === node);
      try {
        const servers = (await member?.findServers('', backend)) ?? [];
        for (const one of mine)
          take(
            one,
            servers.find(({ name }) => name === one.target.server),
            Math.max(0, ...servers.map(({ uncounted }) => uncounted)),
            olderOn(pair, node),
          );
      } catch (error) {
        for (const one of mine) {
          one.zeros = 0;
          one.problem = error instanceof Error ? error.message : String(error);
        }
      }
    }),
  );
}

/** Older HAProxy processes of a node with sessions or without a word, as it last reported them. */
function olderOn(pair: Pair, name: string): number {
  const report = pair.view().find(({ node }) => node === name)?.report;
  const busy = (report?.haproxy ?? []).filter(
    ({ older: { sessions, uncounted } }) => sessions + uncounted > 0,
  );
  return busy.reduce((sum, { older }) => sum + older.processes, 0);
}

/**
 * One count more. A server that is gone may have sessions in any of the `older` processes, one
 * that is there also in those that cannot be asked: such are never taken for idle.
 */
function take(count: Count, reading: ServerReading | undefined, mute: number, older: number): void {
  const uncounted = reading === undefined ? Math.max(mute, older) : mute;
  const sessions = reading?.sessions ?? 0;
  const total = reading?.total ?? 0;
  // Less than before: another process, which has not had those.
  const grown = count.total === null ? 0 : Math.max(0, total - count.total);
  const quiet =
    sessions === 0 && uncounted === 0 && (count.total === null || count.total === total);
  count.zeros = quiet ? count.zeros + 1 : 0;
  count.arrived += grown;
  if (grown > 0) count.arrivals++;
  count.sessions = sessions;
  count.uncounted = uncounted;
  count.total = total;
  count.problem = '';
}

/** The newest of our keys' intents where somebody else has stored one since. */
function supersededBy(pair: Pair, known: ReadonlyMap<string, Intent | undefined>): Intent | null {
  for (const [key, intent] of known) {
    const now = pair.intents().get(key);
    if (now === undefined || intent === undefined) continue;
    if (compareStamps(now.stamp, intent.stamp) > 0) return now;
  }
  return null;
}

/** "3 sessions left: WEB/web1 2 on haproxy01, 1 on haproxy02" */
export function countText(counts: readonly Count[]): string {
  const left = counts.reduce((sum, { sessions }) => sum + sessions, 0);
  const busy = new Map<string, string[]>();
  for (const { node, target, sessions } of counts)
    if (sessions > 0)
      busy.set(nameOf(target), [...(busy.get(nameOf(target)) ?? []), `${sessions} on ${node}`]);
  const where = [...busy].slice(0, NAMED).map(([name, nodes]) => `${name} ${nodes.join(', ')}`);
  const more = busy.size > NAMED ? `, and ${busy.size - NAMED} servers more` : '';
  const silent = counts.filter(({ problem }) => problem !== '').map(({ node }) => node);
  const unknown = silent.length === 0 ? '' : `; ${[...new Set(silent)].join(', ')} not counted`;
  const of = where.length === 0 ? '' : `: ${where.join(', ')}${more}`;
  const mute = uncountedText(counts);
  const others = mute === '' ? '' : `; ${mute}`;
  return `${left} ${left === 1 ? 'session' : 'sessions'} left${of}${unknown}${others}`;
}

/** Older processes that cannot be counted, by node; empty for none. */
export function uncountedText(counts: readonly Count[]): string {
  const nodes = new Map(counts.map(({ node, uncounted }) => [node, uncounted]));
  const busy = [...nodes].filter(([, uncounted]) => uncounted > 0);
  return busy
    .map(([node, one]) => `${one} older HAProxy ${one === 1 ? 'process' : 'processes'} on ${node}`)
    .map((text) => `${text} not counted`)
    .join(', ');
}

/** What an operator has to know of clients that do not leave; empty when they do. */
export function stickyText(counts: readonly Count[]): string {
  const sticky = counts.filter(isSticky);
  if (sticky.length === 0) return '';
  const names = [...new Set(sticky.map(({ target }) => nameOf(target)))].join(', ');
  const arrived = sticky.reduce((sum, one) => sum + one.arrived, 0);
  return `${names} still gets clients that stick to it, ${arrived} since it was drained`;
}

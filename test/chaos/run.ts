import { proxyctl, served } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { startClient, type Client } from './client.ts';
import { judge, type Outage } from './judge.ts';
import { movesOf, wishesOn } from './look.ts';
import { Masters } from './masters.ts';
import { firstWishes } from './orders.ts';
import { episodeOf } from './plan.ts';
import { operate, storm, type Field } from './storm.ts';
import { unexplained } from './unexplained.ts';
import { untold } from './told.ts';
import { Wishes } from './wishes.ts';
import type { Episode, Seen, Step } from './words.ts';

/** What came of one episode. */
export interface Result {
  readonly number: number;
  readonly problems: readonly string[];
  /** What was seen of a pair whose machine was too busy: no problem, as nobody can tell. */
  readonly doubts: readonly string[];
  readonly starved: boolean;
  readonly lateMs: number;
  readonly settledMs: number;
  readonly outages: readonly Outage[];
  readonly requests: { readonly sent: number; readonly failed: number };
  readonly sessions: { readonly whole: number; readonly cut: number };
}

/** How long a healed pair may take to come to rest; a wish for a certificate is looked at again after 30 s. */
const SETTLE_S = 50;
/** How long it is watched at rest. */
const REST_MS = 1500;

/** Runs the episodes of a seed until the time is over, or one shows a problem. */
export async function run(
  lab: LabReport,
  { seed, minutes, say }: { seed: number; minutes: number; say: (text: string) => void },
): Promise<Result[]> {
  const nodes = lab.nodes.map(({ name }) => name);
  const wishes = new Wishes(firstWishes(nodes, await served(lab, lab.vip4)));
  const field: Field = { lab, wishes, say };
  const client = startClient(lab);
  const masters = new Masters(lab);
  const results: Result[] = [];
  try {
    for (const endMs = Date.now() + minutes * 60_000; Date.now() < endMs;) {
      const episode = episodeOf(seed, results.length + 1, nodes);
      say(`episode ${episode.number}: ${lineOf(episode)}`);
      const result = await episodeRun(field, client, masters, episode);
      results.push(result);
      say(told(result));
      if (result.problems.length > 0) break;
    }
  } finally {
    masters.end();
    await client.end();
  }
  return results;
}

async function episodeRun(
  field: Field,
  client: Client,
  masters: Masters,
  episode: Episode,
): Promise<Result> {
  const { lab, wishes } = field;
  const nodes = lab.nodes.map(({ name }) => name);
  const before = await movesOf(lab);
  client.take();
  masters.take();
  const fromMs = Date.now();
  const { broken, paused } = await storm(field, episode);
  const healedMs = Date.now();
  const problems = await settle(lab);
  const settledMs = Date.now() - healedMs;
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const restMs = Date.now() - REST_MS;
  const { attempts, sessions } = client.take();
  const { held, lateMs } = masters.take();
  const seen: Seen = { nodes, fromMs, toMs: Date.now(), attempts, sessions, held, broken, paused };
  const verdict = judge(seen, lateMs);
  problems.push(...verdict.problems, ...atRest(seen, restMs));
  problems.push(...unexplained(seen));
  try {
    const found = await Promise.all(
      lab.nodes.map(async (node) => [node.name, await wishesOn(lab, node)] as const),
    );
    problems.push(...wishes.settle(new Map(found)), ...pinned(wishes, seen));
    const after = await movesOf(lab);
    problems.push(...untold('history', seen, before.history, after.history));
    problems.push(...untold('the record of events', seen, before.events, after.events));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  for (const step of tidied(nodes, wishes)) await operate(field, step);
  return {
    number: episode.number,
    problems: verdict.starved ? [] : problems,
    doubts: verdict.starved ? problems : [],
    starved: verdict.starved,
    lateMs: verdict.lateMs,
    settledMs,
    outages: verdict.outages,
    requests: {
      sent: attempts.length,
      failed: attempts.filter(({ by, to }) => by === null && to.startsWith('vip')).length,
    },
    sessions: {
      whole: sessions.filter(({ whole }) => whole).length,
      cut: sessions.filter(({ whole }) => !whole).length,
    },
  };
}

/** Waits until the agents themselves say that all is at rest; what is missing, where they do not. */
async function settle(lab: LabReport): Promise<string[]> {
  const waited = ['wait', '--for=converged', '--for=serving', '--timeout', `${SETTLE_S}s`];
  const { code, stdout } = await proxyctl(lab, [...waited, '-o', 'json']);
  return code === 0 ? [] : [`not at rest ${SETTLE_S} s after everything was healed: ${stdout}`];
}

/** A pin that nothing stands against is where the address is. */
function pinned(wishes: Wishes, { held }: Seen): string[] {
  const node = wishes.value('pin') ?? 'none';
  const [master] = held.at(-1)?.masters ?? [];
  const free = wishes.value('pause') === 'off' && wishes.value(`maintenance ${node}`) === 'off';
  return free && master !== node ? [`at rest ${master} is MASTER, pinned is ${node}`] : [];
}

/** At rest one host alone is MASTER all the time, and each request is answered by it. */
function atRest({ held, attempts, nodes }: Seen, restMs: number): string[] {
  const last = held.at(-1);
  const [master] = last?.masters ?? [];
  if (last === undefined || last.masters.length !== 1)
    return [`at rest MASTER is ${last?.masters.join(' and ') || 'nobody'}`];
  if (last.atMs > restMs) return [`at rest the address still moves, to ${master}`];
  const late = attempts.filter(({ atMs, to }) => atMs >= restMs && !nodes.includes(to));
  const wrong = late.filter(({ by }) => by !== master);
  return wrong.length === 0
    ? []
    : [
        `at rest ${master} is MASTER, and ${wrong.length} of ${late.length} requests were not answered by it: ${wrong
          .slice(0, 3)
          .map(({ to, by, why }) => `${to} ${by ?? why}`)
          .join(', ')}`,
      ];
}

/** The next episode begins with moves allowed and no node in maintenance. */
const tidied = (nodes: readonly string[], wishes: Wishes): Step[] => {
  const verb = { kind: 'verb', atMs: 0, lastsMs: 0, value: null } as const;
  const kept = nodes.filter((node) => wishes.value(`maintenance ${node}`) === 'on');
  return [
    ...kept.map((node) => ({ ...verb, name: 'maintenance-off', node })),
    ...(wishes.value('pause') === 'on' ? [{ ...verb, name: 'resume', node: null }] : []),
  ];
};

const lineOf = ({ steps }: Episode): string =>
  steps
    .map(({ kind, name, node, atMs, lastsMs }) =>
      [name, node ?? '', `${atMs}`, kind === 'fault' ? `for ${lastsMs} ms` : ''].join(' ').trim(),
    )
    .join('; ');

/** What the client saw in all, for the end of the report. */
export function clientSaw(results: readonly Result[]): string {
  const sum = (of: (one: Result) => number): number =>
    results.reduce((total, one) => total + of(one), 0);
  const longestMs = Math.max(
    0,
    ...results.flatMap(({ outages }) => outages.map(({ fromMs, toMs }) => toMs - fromMs)),
  );
  return [
    `the client: ${sum(({ requests }) => requests.sent)} requests`,
    `${sum(({ requests }) => requests.failed)} to the address failed`,
    `${sum(({ outages }) => outages.length)} times dark, ${longestMs} ms at most`,
    `${sum(({ sessions }) => sessions.whole)} long sessions whole, ${sum(({ sessions }) => sessions.cut)} cut`,
  ].join('; ');
}

/** One line of the report. */
function told({ number, problems, doubts, starved, lateMs, settledMs, ...seen }: Result): string {
  const dark = seen.outages.map(({ to, fromMs, toMs }) => `${to} ${toMs - fromMs}`).join(', ');
  return [
    `episode ${number} ${problems.length > 0 ? 'BROKEN' : starved ? 'starved' : 'ok'}`,
    `at rest after ${settledMs} ms, machine late by ${lateMs} ms`,
    `${seen.requests.sent} requests, ${seen.requests.failed} of the address failed, dark ms: ${dark || 'never'}`,
    `${seen.sessions.whole} long sessions whole, ${seen.sessions.cut} cut`,
    ...problems.map((one) => `  ${one}`),
    ...doubts.map((one) => `  not counted, the machine was too busy: ${one}`),
  ].join('\n  ');
}

import type { NodeServers, ServerReading, ServersAnswer } from '../../agent/core/answers.ts';
import { stateWord } from '../../agent/core/servers/admin.ts';
import { targetOf } from '../../agent/core/servers/servers.ts';
import type { Drift, Intent } from '../../agent/core/model.ts';
import { serverNames, wishFor } from '../json/servers.ts';
import { clockTime, duration } from './duration.ts';
import { table } from './table.ts';
import { columns, displayWidth, padded } from './width.ts';
import { wrapped } from './wrapped.ts';

const HEAD = ['STATE', 'WT', 'SESS', 'QUEUE', 'CHECK'] as const;
const RIGHT = [1, 2, 3];

/** The screen of `proxyctl servers`: a row per server with the nodes side by side, where that fits. */
export function serversScreen(answer: ServersAnswer, wallMs: number): string {
  const beside = sideBySide(answer);
  const fits = beside.split('\n').every((line) => displayWidth(line) <= columns());
  const grid = fits ? beside : below(answer);
  const notes = [
    ...answer.intents.map((intent) => `${wishLine(intent, wallMs)}${lostText(intent, answer)}`),
    ...answer.nodes.flatMap(({ node, drift = [] }) => drift.map((one) => driftLine(node, one))),
    ...answer.nodes.flatMap(olderLine),
    ...answer.nodes
      .filter(({ problem }) => problem !== '')
      .map(({ node, problem }) => `unknown   ${node}: ${problem}`),
  ].map((line) => wrapped(line));
  return `${[grid, notes.join('\n')].filter((part) => part !== '').join('\n\n')}\n`;
}

function sideBySide(answer: ServersAnswer): string {
  const { nodes } = answer;
  const found = byName(nodes);
  const rows = serverNames(answer).map((name) => [
    name,
    ...nodes.flatMap((_, at) => cells(answer, found[at]?.get(name))),
  ]);
  const head = ['SERVER', ...nodes.flatMap(() => HEAD)];
  const right = nodes.flatMap((_, at) => RIGHT.map((one) => 1 + at * HEAD.length + one));
  const lines = table(head, rows, { right, columns: Infinity }).split('\n');
  return [titles(nodes, lines), ...lines].join('\n');
}

/** The nodes' names above their columns, as the table has laid them out. */
function titles(nodes: readonly NodeServers[], [head = '']: readonly string[]): string {
  let line = '';
  let from = 0;
  for (const { node } of nodes) {
    const at = head.indexOf(HEAD[0], from);
    line = `${padded(line, at)}${node}`;
    from = at + 1;
  }
  return line;
}

function below(answer: ServersAnswer): string {
  const found = byName(answer.nodes);
  const rows = serverNames(answer).flatMap((name) =>
    answer.nodes.map(({ node }, at) => [
      at === 0 ? name : '',
      node,
      ...cells(answer, found[at]?.get(name)),
    ]),
  );
  const right = RIGHT.map((one) => one + 2);
  return table(['SERVER', 'NODE', ...HEAD], rows, { right, columns: 'fits' });
}

const byName = (nodes: readonly NodeServers[]): ReadonlyMap<string, ServerReading>[] =>
  nodes.map(
    ({ servers }) => new Map(servers.map((one) => [`${one.backend}/${one.name}`, one] as const)),
  );

function cells({ intents }: ServersAnswer, server: ServerReading | undefined): string[] {
  if (server === undefined) return ['?', '', '', '', ''];
  const { weight, sessions, queued, check } = server;
  return [
    stateWord(server, wishFor(intents, server) !== null),
    String(weight),
    String(sessions - queued),
    String(queued),
    check === '' ? '-' : check,
  ];
}

/** A server that somebody changed past the agents. */
function driftLine(node: string, { backend, server, is, should, wished }: Drift): string {
  const who = wished ? 'was asked for' : 'is configured';
  return `drift     ${backend}/${server} on ${node} is ${is}, and ${should} ${who}`;
}

/** Sessions of older HAProxy processes, which the table counts, and processes that cannot be counted. */
export function olderLine({ node, servers }: NodeServers): string[] {
  const sessions = servers.reduce((sum, { older }) => sum + older, 0);
  const mute = Math.max(0, ...servers.map(({ uncounted }) => uncounted));
  const of = sessions === 1 ? 'session is' : 'sessions are';
  const processes = mute === 1 ? 'process' : 'processes';
  return [
    ...(sessions === 0 ? [] : [`older     ${sessions} ${of} of an older HAProxy on ${node}`]),
    ...(mute === 0 ? [] : [`older     ${mute} ${processes} of HAProxy on ${node} not counted`]),
  ];
}

/** On which nodes the server of a wish is not, and what ends that. */
function lostText({ key }: Intent, { nodes }: ServersAnswer): string {
  const on = (is: string): string =>
    nodes
      .filter(({ lost = [] }) => lost.some((one) => one.key === key && one.server === is))
      .map(({ node }) => node)
      .join(', ');
  const target = targetOf(key);
  const name = `${target?.backend ?? ''}/${target?.server ?? ''}`;
  const end = key.startsWith('weight/')
    ? `proxyctl weight ${name} reset ends it`
    : `proxyctl ready ${name} ends it`;
  const [gone, back] = [on('gone'), on('back')];
  return [
    ...(gone === '' ? [] : [`; no such server on ${gone}`]),
    ...(back === '' ? [] : [`; was gone, is there again on ${back} and was not told`]),
    ...(gone + back === '' ? [] : [`: ${end}`]),
  ].join('');
}

/** Who wants what of a server, and until when. */
function wishLine(intent: Intent, wallMs: number): string {
  const { actor, reason, untilWallMs, stamp, value, key } = intent;
  const target = targetOf(key);
  const word = key.startsWith('weight/') ? 'weight' : value === 'drain' ? 'drained' : value;
  const to = word === 'weight' ? ` ${value}` : '';
  const since = duration(Math.max(0, wallMs - stamp.wallMs));
  const until = untilWallMs === null ? '' : ` until ${clockTime(untilWallMs, wallMs)}`;
  const why = reason === '' ? '' : `, "${reason}"`;
  const name = `${target?.backend ?? ''}/${target?.server ?? ''}`;
  return `${word.padEnd(9)} ${name}${to}, ${since}, by ${actor}${until}${why}`;
}

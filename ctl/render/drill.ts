import type { LastDrill } from '../../agent/core/drill.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { INTERVAL_MS } from '../drill/gaps.ts';
import type { DrillReport } from '../drill/report.ts';
import { duration } from './duration.ts';
import { historyScreen } from './history.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

/** The screen of a drill that is over. */
export function drillScreen({ act, plan, state, clients, result, history }: DrillReport): string {
  const { darkMs, lost, sent, targets } = clients;
  const lines = [
    wrapped(`drill     ${act.kind} on ${plan.node}: ${state}${how(plan)}`),
    wrapped(
      `clients   waited ${darkMs} ms at most (bound ${act.maxOutageMs} ms); ${lost} of ${sent} ` +
        `connections lost, one every ${INTERVAL_MS} ms from this machine to ${targets.join(', ')}`,
    ),
    ...(result.addresses.length === 0 ? [''] : ['', drillTable(result), '']),
    history === null
      ? 'history   could not be read'
      : history.length === 0
        ? 'history   no address moved'
        : historyScreen({ node: plan.node, changes: history, missing: [] }),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

const how = ({ means }: DrillReport['plan']): string =>
  means === null ? '' : means === 'health' ? ', counted as closed' : ', its frontends closed';

/** What moves, or moved, and by how much nobody was MASTER, there or back. */
export const drillTable = ({ addresses }: Pick<ActResult, 'addresses'>): string =>
  table(
    ['ADDRESS', 'FROM', 'TO', 'DARK AT MOST'],
    addresses.map(({ address, from, to, darkMsMax }) => [
      address,
      from,
      to,
      darkMsMax === null ? '-' : `${darkMsMax} ms`,
    ]),
    { right: [3] },
  );

/** One line of `status` on the last drill of a kind. */
export function lastDrillLine(one: LastDrill, wallMs: number): string {
  const { kind, node, state, endedWallMs, startedWallMs, darkMs, maxOutageMs, why } = one;
  const ago = duration(Math.max(0, wallMs - (endedWallMs ?? startedWallMs)));
  const waited =
    darkMs === null ? '' : `, clients waited ${Math.round(darkMs)} ms (bound ${maxOutageMs} ms)`;
  return `drill     ${kind} on ${node} ${state}${waited}, ${ago} ago, by ${one.actor}${why === '' ? '' : `: ${why}`}`;
}

import type { NodeVersions } from '../../agent/core/deploy/versions.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { isChanged } from '../json/config-push.ts';
import { table } from './table.ts';
import { wrapped } from './wrapped.ts';

/** What each node has of a push. */
export const configPushTable = ({ config }: Pick<ActResult, 'config'>): string =>
  config === undefined
    ? ''
    : table(
        ['NODE', 'RESULT', 'VERSION'],
        config.nodes.map(({ node, outcome }) => [
          node,
          outcome,
          outcome === 'already' ? '' : String(config.number),
        ]),
      );

/** The screen of `config history`: a row for each version of each node, the newest first. */
export function configHistoryScreen(nodes: readonly NodeVersions[]): string {
  const rows = nodes
    .flatMap(({ node, state }) =>
      (state?.versions ?? []).map((one, at) => ({ node, at, state: state?.state ?? 'none', one })),
    )
    .sort((a, b) => b.one.number - a.one.number || (a.node < b.node ? -1 : 1))
    .map(({ node, at, state, one }) => [
      String(one.number),
      node,
      at === 0 ? STATES[state] : '',
      new Date(one.installedS * 1000).toISOString().slice(0, 16).replace('T', ' '),
      one.who,
      one.reason,
    ]);
  const notes = nodes.flatMap(({ node, problem, state }) => {
    if (problem !== '') return [`missing   ${problem.includes(node) ? '' : `${node}: `}${problem}`];
    if (state !== null && isChanged(state))
      return [`changed   ${node}: by hand since: proxyctl config diff`];
    return [];
  });
  const head = ['VERSION', 'NODE', 'STATE', 'INSTALLED (UTC)', 'BY', 'REASON'];
  return [
    ...(rows.length === 0 ? ['Nothing was pushed.'] : [table(head, rows)]),
    ...notes.map((line) => wrapped(line)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

const STATES = { none: '', pending: 'under way', kept: 'in force', back: 'taken back' } as const;

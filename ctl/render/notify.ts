import type { NotifyTested } from '../../agent/core/notify/notify.ts';
import { wrapped } from './wrapped.ts';

/** The screen of `proxyctl notify test`: a line or more for each target of each node. */
export const notifyTestScreen = ({ nodes }: Pick<NotifyTested, 'nodes'>): string =>
  nodes
    .flatMap(({ node, problem, targets }) => {
      if (problem !== '') return [`missing   ${node}: ${problem}`];
      if (targets.length === 0) return [`none      ${node}: no [[notify]] of that name`];
      return targets.map((one) =>
        one.problem === ''
          ? `arrived   ${node}: ${one.name}, ${one.tookMs} ms`
          : `failed    ${node}: ${one.name}: ${one.problem}`,
      );
    })
    .map((line) => `${wrapped(line)}\n`)
    .join('');

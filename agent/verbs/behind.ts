import type { ServerTarget } from '../core/intents.ts';
import type { Pair } from './pair.ts';
import type { Found } from './server-look.ts';
import { nameOf, readings } from './server-targets.ts';

/** What decides behind the back of a wish, in a sentence each, said before anything is promised. */
export function behindText(targets: readonly ServerTarget[], found: readonly Found[]): string[] {
  const names = targets
    .filter((target) => readings(target, found).some(({ agentChecked }) => agentChecked))
    .map(nameOf);
  if (names.length === 0) return [];
  const who = names.length === 1 ? 'has an agent-check: its agent' : 'have an agent-check: it';
  return [`${names.join(', ')} ${who} may set state and weight again at any time`];
}

/** Nodes on which older processes of HAProxy may have sessions that nobody sees, and why. */
export const unseenText = (pair: Pair, nodes: readonly string[]): string[] =>
  pair
    .view()
    .filter(({ node }) => nodes.includes(node))
    .flatMap(({ node, report }) =>
      (report?.haproxy ?? [])
        .filter(({ older }) => older.problem !== '')
        .map(
          ({ older }) =>
            `sessions of older HAProxy processes on ${node} are not waited for: ${older.problem}`,
        ),
    );

import type { ServerTarget } from '../core/intents.ts';
import type { Pair } from './pair.ts';
import type { Found } from './server-look.ts';
import { nameOf, readings } from './server-targets.ts';

/** What decides behind the back of a wish, in a sentence each, said before anything is promised. */
export function behindText(targets: readonly ServerTarget[], found: readonly Found[]): string[] {
  return [...checkedText(targets, found), ...stateFileText(targets, found)];
}

function checkedText(targets: readonly ServerTarget[], found: readonly Found[]): string[] {
  const names = targets
    .filter((target) => readings(target, found).some(({ agentChecked }) => agentChecked))
    .map(nameOf);
  if (names.length === 0) return [];
  const who = names.length === 1 ? 'has an agent-check: its agent' : 'have an agent-check: it';
  return [`${names.join(', ')} ${who} may set state and weight again at any time`];
}

function stateFileText(targets: readonly ServerTarget[], found: readonly Found[]): string[] {
  const backends = targets
    .filter((target) => readings(target, found).some(({ stateFile }) => stateFile))
    .map(({ backend }) => backend);
  if (backends.length === 0) return [];
  return [
    `a reload begins with what a file says of ${[...new Set(backends)].join(', ')} ` +
      '(load-server-state-from-file): where that is older the agents tell HAProxy again a moment ' +
      'later; save it before each reload',
  ];
}

/** Nodes whose older processes of HAProxy cannot be looked for, and why: they may have sessions that nobody sees. */
export const unseenOn = (
  pair: Pair,
  nodes: readonly string[],
): readonly { readonly node: string; readonly problem: string }[] =>
  pair
    .view()
    .filter(({ node }) => nodes.includes(node))
    .flatMap(({ node, report }) =>
      (report?.haproxy ?? []).flatMap(({ older: { problem } }) =>
        problem === '' ? [] : [{ node, problem }],
      ),
    );

/** The same in a sentence each. */
export const unseenText = (pair: Pair, nodes: readonly string[]): string[] =>
  unseenOn(pair, nodes).map(
    ({ node, problem }) =>
      `sessions of older HAProxy processes on ${node} are not waited for: ${problem}`,
  );

import type { ActFailure } from '../core/results.ts';
import type { Pair } from './pair.ts';

/** What a planned move is refused with. */
interface Objection {
  readonly outcome: ActFailure['outcome'];
  readonly code: string;
  readonly message: string;
  readonly cause: string;
  readonly remediation: string;
}

/**
 * Why no address is moved on purpose between these nodes now: one of them does not hear another,
 * so that nobody would answer in a handshake, or two agents go on under one name. Null: nothing.
 */
export function gossipObjection(
  pair: Pair,
  id: string,
  nodes: readonly string[],
): Objection | null {
  const views = pair.view();
  const doubled = views.find(
    ({ node, doubleSinceMs }) =>
      nodes.includes(node) &&
      (doubleSinceMs !== null ||
        views.some(({ fresh, report }) => fresh && report?.doubles.includes(node) === true)),
  );
  const refused = {
    outcome: 'unreachable',
    message: `not moved: ${id} cannot be handed over`,
  } as const;
  if (doubled !== undefined)
    return {
      ...refused,
      code: 'same_name',
      cause: `two agents go on under the name ${doubled.node}`,
      remediation: 'end the agent of the copied host first',
    };
  const deaf = views.find(
    ({ node, oneWay }) => oneWay !== null && (nodes.includes(node) || nodes.includes(pair.node)),
  );
  if (deaf === undefined) return null;
  const [from, to] = deaf.oneWay?.deaf === 'it' ? [pair.node, deaf.node] : [deaf.node, pair.node];
  return {
    ...refused,
    code: 'one_way',
    cause: `${to} does not hear ${from}: gossip passes one way only`,
    remediation: `let ${from} reach TCP port 7660 of ${to}: pf, routes`,
  };
}

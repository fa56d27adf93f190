import { ActFailure } from '../core/results.ts';
import type { LostWish, NodeServers, ServersAnswer } from '../core/answers.ts';
import { inForce } from '../core/intents.ts';
import type { Drift } from '../core/model.ts';
import { targetOf } from '../core/servers/servers.ts';
import { askAll } from './ask-all.ts';
import type { Pair } from './pair.ts';

/**
 * `servers`: what every node's HAProxy has now, of one backend or of all
 * (null). A node that does not answer says why. Throws ActFailure 'not-found'
 * for a backend no node has.
 */
export async function listServers(pair: Pair, backend: string | null): Promise<ServersAnswer> {
  const none: Pick<NodeServers, 'servers'> = { servers: [] };
  const missing: ActFailure[] = [];
  const nodes = await askAll(
    pair,
    pair.members,
    none,
    async (member) => ({ servers: await member.findServers('', backend ?? '') }),
    (error) => {
      if (error instanceof ActFailure && error.outcome === 'not-found') missing.push(error);
    },
  );
  const last = missing.at(-1);
  if (last !== undefined && nodes.every(({ problem }) => problem !== '')) throw last;
  const wallMs = pair.clock.wallMs();
  const intents = [...pair.intents().values()].filter((intent) => {
    const target = targetOf(intent.key);
    if (target === null || !inForce(intent, wallMs)) return false;
    return backend === null || target.backend === backend;
  });
  const wished = new Set(intents.map(({ key }) => key));
  return {
    node: pair.node,
    nodes: nodes.map((one) => ({
      ...one,
      drift: driftOn(pair, one.node, backend),
      lost: lostOn(pair, one.node, wished),
    })),
    intents,
  };
}

/** Of these wishes, as that node last reported it. */
const lostOn = (pair: Pair, name: string, wished: ReadonlySet<string>): LostWish[] =>
  pair
    .view()
    .filter(({ node, fresh }) => node === name && fresh)
    .flatMap(({ report }) => report?.applied ?? [])
    .flatMap(({ key, server }) =>
      server !== undefined && wished.has(key) ? [{ key, server }] : [],
    );

/** As that node last reported it; none of a node that is not in touch. */
const driftOn = (pair: Pair, name: string, backend: string | null): Drift[] =>
  pair
    .view()
    .filter(({ node, fresh }) => node === name && fresh)
    .flatMap(({ report }) => report?.haproxy ?? [])
    .flatMap(({ drift }) => drift)
    .filter((one) => backend === null || one.backend === backend);

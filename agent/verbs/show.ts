import { ActFailure } from '../core/results.ts';
import { showCommand, type NodeShow, type ShowAnswer } from '../core/show-commands.ts';
import { present, type Pair, whyOf } from './pair.ts';

/**
 * One read-only runtime command, asked of every node's HAProxy at once. A node
 * that does not answer says why. Throws ActFailure 'usage' for a command that
 * is not let through, and the first node's failure where no node has a reply.
 */
export async function show(pair: Pair, command: string): Promise<ShowAnswer> {
  const { text } = showCommand([command]);
  const reachable = present(pair);
  const failures: ActFailure[] = [];
  const nodes = await Promise.all(
    pair.members.map(async (member): Promise<NodeShow> => {
      const { node } = member;
      if (!reachable.includes(member)) return missing(node, `the agent on ${node} does not answer`);
      try {
        return { node, problem: '', ...(await member.show(text)) };
      } catch (error) {
        if (error instanceof ActFailure) failures.push(error);
        return missing(node, whyOf(error));
      }
    }),
  );
  const [first] = failures;
  if (first !== undefined && nodes.every(({ problem }) => problem !== '')) throw first;
  return { node: pair.node, nodes };
}

const missing = (node: string, problem: string): NodeShow => ({
  node,
  problem,
  bytes: new Uint8Array(),
  cut: false,
});

import { ActFailure } from '../core/results.ts';
import { showCommand, type NodeShow, type ShowAnswer } from '../core/show-commands.ts';
import { askAll } from './ask-all.ts';
import type { Pair } from './pair.ts';

/**
 * One read-only runtime command, asked of every node's HAProxy at once. A node
 * that does not answer says why. Throws ActFailure 'usage' for a command that
 * is not let through, and the first node's failure where no node has a reply.
 */
export async function show(pair: Pair, command: string): Promise<ShowAnswer> {
  const { text } = showCommand([command]);
  const failures: ActFailure[] = [];
  const nodes = await askAll(
    pair,
    pair.members,
    NOTHING,
    (member) => member.show(text),
    (error) => {
      if (error instanceof ActFailure) failures.push(error);
    },
  );
  const [first] = failures;
  if (first !== undefined && nodes.every(({ problem }) => problem !== '')) throw first;
  return { node: pair.node, nodes };
}

const NOTHING: Omit<NodeShow, 'node' | 'problem'> = { bytes: new Uint8Array(), cut: false };

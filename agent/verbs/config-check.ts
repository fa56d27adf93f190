import type { ConfigChecked, NodeCheck } from '../core/deploy/checked.ts';
import type { DeployAnswer, Deployments } from '../core/deploy/deployments.ts';
import type { Member } from '../core/member.ts';
import { sentence } from '../core/words.ts';
import { askAll } from './ask-all.ts';
import type { Pair } from './pair.ts';

/**
 * `config check`: each node has its own HAProxy look at a configuration that an operator has signed,
 * under the paths and with the certificates that are there. Nothing is installed. A node that does
 * not answer says why.
 */
export async function checkConfig(pair: Pair, message: Uint8Array): Promise<ConfigChecked> {
  const none: Pick<NodeCheck, 'answer'> = { answer: null };
  const nodes = await askAll(pair, pair.members, none, async (member) => ({
    answer: await member.checkConfig(message),
  }));
  return { node: pair.node, nodes };
}

/** The same on this node alone, by root; `lists`: the newest revocation lists that are known here. */
export const checkHere =
  (
    deployments: Pick<Deployments, 'revocations' | 'check'>,
    lists: () => string,
  ): Member['checkConfig'] =>
  async (message): Promise<DeployAnswer> => {
    try {
      // Root judges by the newest one that it was ever told of.
      await deployments.revocations(lists());
    } catch (error) {
      return { kind: 'failed', why: sentence(error) };
    }
    return deployments.check(message);
  };

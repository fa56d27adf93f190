import type { NotifyTested, TestedTarget } from '../core/notify/notify.ts';
import { ActFailure } from '../core/results.ts';
import { present, type Pair, whyOf } from './pair.ts';

/**
 * `notify test`: each node sends a test to its targets of this name, '' to all, and says what came
 * of it. Throws ActFailure where every node answers and none has one of that name.
 */
export async function testNotify(pair: Pair, target: string): Promise<NotifyTested> {
  const reachable = present(pair);
  const nodes = await Promise.all(
    pair.members.map(async (member) => {
      const { node } = member;
      const none: readonly TestedTarget[] = [];
      if (!reachable.includes(member))
        return { node, problem: `the agent on ${node} does not answer`, targets: none };
      try {
        return { node, problem: '', targets: await member.testNotify(target) };
      } catch (error) {
        return { node, problem: whyOf(error), targets: none };
      }
    }),
  );
  if (nodes.every(({ problem, targets }) => problem === '' && targets.length === 0))
    throw new ActFailure('not-found', {
      code: 'target_unknown',
      message: target === '' ? 'no node has a [[notify]]' : `no [[notify]] is called ${target}`,
      remediation: 'see [[notify]] in proxyctl-agent.toml(5)',
    });
  return { node: pair.node, nodes };
}

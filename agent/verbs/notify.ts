import type { NotifyTested, TestedTarget } from '../core/notify/notify.ts';
import { ActFailure } from '../core/results.ts';
import { askAll } from './ask-all.ts';
import type { Pair } from './pair.ts';

/**
 * `notify test`: each node sends a test to its targets of this name, '' to all, and says what came
 * of it. Throws ActFailure where every node answers and none has one of that name.
 */
export async function testNotify(pair: Pair, target: string): Promise<NotifyTested> {
  const none: { readonly targets: readonly TestedTarget[] } = { targets: [] };
  const nodes = await askAll(pair, pair.members, none, async (member) => ({
    targets: await member.testNotify(target),
  }));
  if (nodes.every(({ problem, targets }) => problem === '' && targets.length === 0))
    throw new ActFailure('not-found', {
      code: 'target_unknown',
      message: target === '' ? 'no node has a [[notify]]' : `no [[notify]] is called ${target}`,
      remediation: 'see [[notify]] in proxyctl-agent.toml(5)',
    });
  return { node: pair.node, nodes };
}

import type { Deployments, DeployState } from '../core/deploy/deployments.ts';
import { sentence } from '../core/words.ts';
import { failure } from './failure.ts';

/** What root has of configurations on this host. Rejects with ActFailure where it does not say. */
export async function rootState(
  deployments: Pick<Deployments, 'refuses' | 'state'>,
  node: string,
): Promise<DeployState> {
  if (deployments.refuses !== '')
    throw failure('failed', 'config_refused', `${node}: ${deployments.refuses}`);
  try {
    return await deployments.state();
  } catch (error) {
    throw failure('failed', 'config_failed', `root on ${node} does not say: ${sentence(error)}`);
  }
}

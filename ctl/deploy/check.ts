import type { ConfigChecked } from '../../agent/core/deploy/checked.ts';
import { DeploymentError } from '../../agent/core/deploy/deployment.ts';
import type { Agent } from '../connect/client.ts';
import { usage } from '../failure.ts';
import type { CommonOptions } from '../session.ts';
import { localFiles } from './local-files.ts';
import { deploymentNow } from './make.ts';
import { signDeployment } from './sign.ts';
import { signerOf } from './signer.ts';

/** Has every node check the file or directory at this path, signed by the key of the context. Rejects with ActFailure. */
export async function configCheck(
  agent: Pick<Agent, 'status' | 'checkConfig'>,
  options: CommonOptions,
  path: string,
): Promise<ConfigChecked> {
  const signer = await signerOf(options);
  const local = localFiles(path);
  const { nodes } = await agent.status();
  const made = deploymentNow(local, {
    purpose: 'check',
    nodes: nodes.map(({ node }) => node),
    reason: '',
    certificate: signer.certificate,
    // A check uses up no number.
    lastNumbers: [],
    nowMs: Date.now(),
  });
  return agent.checkConfig(signed(path, () => signDeployment(made, signer)));
}

/** What cannot be a configuration is a mistake of the command line. */
function signed(path: string, sign: () => Buffer): Buffer {
  try {
    return sign();
  } catch (error) {
    if (!(error instanceof DeploymentError)) throw error;
    throw usage(
      `${path} cannot be a configuration of the pair: ${error.message}`,
      'name what haproxy.config of agent.toml is on the hosts: one file, or a directory',
    );
  }
}

import { DeploymentError, type Deployment } from '../../agent/core/deploy/deployment.ts';
import { usage } from '../failure.ts';
import { deploymentNow } from './make.ts';
import { signDeployment } from './sign.ts';
import type { Signer } from './signer.ts';

type What = Pick<Deployment, 'form' | 'files' | 'purpose' | 'reason'> & {
  readonly lastNumbers: readonly number[];
  readonly forS?: number;
};

/** Signed for these nodes, from now on. Throws ActFailure. */
export function signedFor(
  path: string,
  nodes: readonly { readonly node: string }[],
  signer: Signer,
  { form, files, ...rest }: What,
): Buffer {
  const { certificate } = signer;
  const names = nodes.map(({ node }) => node);
  const more = { ...rest, certificate, nodes: names, nowMs: Date.now() };
  try {
    return signDeployment(deploymentNow({ form, files }, more), signer);
  } catch (error) {
    if (!(error instanceof DeploymentError)) throw error;
    throw usage(
      `${path} cannot be a configuration of the pair: ${error.message}`,
      'name what haproxy.config of agent.toml is on the hosts: one file, or a directory',
    );
  }
}

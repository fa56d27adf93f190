import type { ConfigChecked } from '../../agent/core/deploy/checked.ts';
import type { Agent } from '../connect/client.ts';
import type { CommonOptions } from '../session.ts';
import { localFiles } from './local-files.ts';
import { signedFor } from './signed.ts';
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
  return agent.checkConfig(
    // A check uses up no number.
    signedFor(path, nodes, signer, { ...local, purpose: 'check', lastNumbers: [], reason: '' }),
  );
}

import type { ActHeader } from '../../agent/core/acts.ts';
import type { ActResult } from '../../agent/core/results.ts';
import type { Report } from '../../agent/core/verbs.ts';
import type { Agent } from '../connect/client.ts';
import type { CommonOptions } from '../session.ts';
import { localFiles } from './local-files.ts';
import { signedFor } from './signed.ts';
import { signerOf } from './signer.ts';

/**
 * So long the nodes take what was signed: one that is lost in between and comes back within it
 * catches up.
 */
const PUSH_S = 3600;

/** Signs the file or directory at this path, and has it pushed. Rejects with ActFailure. */
export async function configPush(
  agent: Pick<Agent, 'status' | 'configVersions' | 'pushConfig'>,
  options: CommonOptions,
  path: string,
  settleMs: number,
  header: ActHeader,
  report: Report,
): Promise<ActResult> {
  const signer = await signerOf(options);
  const local = localFiles(path);
  const status = await agent.status();
  const { nodes } = await agent.configVersions();
  const message = signedFor(path, status.nodes, signer, {
    ...local,
    purpose: 'push',
    forS: PUSH_S,
    lastNumbers: nodes.map(({ state }) => state?.last ?? 0),
    reason: header.reason,
  });
  return agent.pushConfig({ header, message, settleMs }, report);
}

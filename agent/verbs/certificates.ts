import type { RollbackAct, SwapBundle } from '../core/acts.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import type { Certificates } from '../core/answers.ts';
import { inForce, parseCertificateKey } from '../core/intents.ts';
import type { Report } from '../core/verbs.ts';
import { type Pair, whyOf } from './pair.ts';
import { pushCertificate } from './push.ts';

/** `cert list` and `cert verify`: what every node says of its certificates, and what was decided. */
export async function listCertificates(pair: Pair, served: boolean): Promise<Certificates> {
  const wallMs = pair.clock.wallMs();
  const nodes = await Promise.all(
    pair.members.map(async (member) => {
      const { node } = member;
      try {
        const certificates = await member.inspectCertificates(served);
        return { node, problem: '', certificates };
      } catch (error) {
        return { node, problem: whyOf(error), certificates: [] };
      }
    }),
  );
  return {
    node: pair.node,
    nodes,
    intents: [...pair.intents().values()].filter(
      (intent) => parseCertificateKey(intent.key) !== null && inForce(intent, wallMs),
    ),
  };
}

/** `cert rollback`: what the last swap replaced goes through the same swap again. */
export async function rollbackCertificates(
  pair: Pair,
  act: RollbackAct,
  report: Report,
): Promise<ActResult> {
  const bundles: SwapBundle[] = [];
  for (const path of act.paths) {
    const pem = await pair.previousBundle(pair.certificateName(path));
    if (pem === null)
      throw new ActFailure('not-found', {
        code: 'no_previous',
        message: `not rolled back: ${pair.node} keeps no earlier bundle of ${path}`,
        cause: 'it keeps the one that the last swap replaced, where it took part in it',
        remediation: 'cert list -o json says what is kept (previous); or push the wanted bundle',
      });
    if (pem === '')
      throw new ActFailure('failed', {
        code: 'was_new',
        message: `not rolled back: the last push of ${path} added it, nothing was replaced`,
        cause: 'it was pushed with --into, and no other has been pushed there since',
        remediation: 'to take it out: remove its line from the crt-list and reload, on every node',
      });
    bundles.push({ path, pem });
  }
  return pushCertificate(pair, { header: act.header, bundles }, report);
}

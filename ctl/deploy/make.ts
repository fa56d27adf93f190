import { X509Certificate } from 'node:crypto';
import type { Deployment } from '../../agent/core/deploy/deployment.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { describeIdentity, pairIn, parseIdentity } from '../../agent/wire/identity.ts';

/** Time for the checks on every node and the reloads, one node after the other, in seconds. */
const USUALLY_S = 900;

/**
 * What the holder of this certificate (PEM) is to sign: in force from now on for `forS` seconds,
 * with a number above all that the nodes have taken so far. Throws ActFailure 'not-authorised'
 * for a certificate that no node takes a configuration from.
 */
export function deploymentNow(
  configuration: Pick<Deployment, 'form' | 'files'>,
  {
    certificate,
    lastNumbers,
    nowMs,
    forS = USUALLY_S,
    ...rest
  }: Pick<Deployment, 'purpose' | 'nodes' | 'reason'> & {
    readonly certificate: string;
    readonly lastNumbers: readonly number[];
    readonly nowMs: number;
    readonly forS?: number;
  },
): Deployment {
  const { subjectAltName } = new X509Certificate(certificate);
  const pair = pairIn(subjectAltName);
  const who = pair === null ? null : parseIdentity(subjectAltName, pair);
  if (pair === null || who?.kind !== 'operator' || who.role !== 'admin')
    throw new ActFailure('not-authorised', {
      code: 'role_too_low',
      message: `a configuration is signed by an operator with the role admin; this certificate is ${who === null ? 'of no pair' : `of ${describeIdentity(who)}`}`,
      remediation: 'proxyctl pki issue operator NAME --role admin, by who keeps the CA',
    });
  const madeS = Math.floor(nowMs / 1000);
  // By the clock, so that two machines that ask nobody make different ones.
  const number = Math.max(nowMs, ...lastNumbers.map((last) => last + 1));
  return { ...rest, ...configuration, pair, number, madeS, untilS: madeS + forS };
}

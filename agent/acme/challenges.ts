import type { Issuer } from './issuer.ts';
import { startResponder } from './responder.ts';
import { challengeAnswers, challengeInFile, type WebrootPeer } from './webroot.ts';
import { rfc3339 } from '../certs/certificate.ts';
import type { Config } from '../config/config.ts';
import type { InspectedCertificate } from '../core/answers.ts';
import { keyAuthorization } from '../core/challenge.ts';
import type { Intents } from '../core/intents.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

export interface AcmePartOptions {
  readonly node: string;
  readonly config: Config['acme'];
  readonly clock: Clock;
  readonly problems: Problems;
  readonly intents: () => Intents;
  readonly peers: readonly WebrootPeer[];
}

/** Everything this agent has to do with ACME challenges: its responder and its own webroot. */
export function acmePart({ config, intents, clock, peers, ...rest }: AcmePartOptions) {
  const { webroot } = config;
  const stored = (token: string): string | null =>
    keyAuthorization(intents(), token, clock.wallMs());
  const responder = startResponder({
    ...rest,
    clock,
    addresses: config.responder,
    answer: challengeAnswers({ webroot, stored, peers }),
  });
  return {
    /** Asks the own responder, as Member.checkChallenge promises. */
    check: (token: string) => responder.check(token),
    /** For a peer: what lies in this node's webroot; '' for nothing. */
    find: async (token: string): Promise<string> => (await challengeInFile(webroot, token)) ?? '',
    close: () => responder.close(),
  };
}

/** The certificates with when each is ordered anew. */
export const withRenewals = (
  certificates: readonly InspectedCertificate[],
  issuer: Issuer | null,
): InspectedCertificate[] =>
  certificates.map((one) => {
    const atMs = issuer?.renewal(one.path) ?? null;
    return { ...one, renewal: atMs === null ? '' : rfc3339(Math.max(0, atMs)) };
  });

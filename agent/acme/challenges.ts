import { startResponder } from './responder.ts';
import { challengeAnswers, challengeInFile } from './webroot.ts';
import { keyAuthorization } from '../core/certs/challenge.ts';
import type { Intents } from '../core/intents.ts';
import type { Member } from '../core/member.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

export interface ChallengesOptions {
  readonly node: string;
  readonly config: {
    /** Where its responder listens; none: it does not run. */
    readonly responder: readonly string[];
    /** Where an ACME client on this host writes its tokens; empty: none does. */
    readonly webroot: string;
  };
  readonly clock: Clock;
  readonly problems: Problems;
  readonly intents: () => Intents;
  readonly peers: readonly Pick<Member, 'findChallenge'>[];
}

/** Everything this agent has to do with ACME challenges: its responder and its own webroot. */
export function challenges({ config, intents, clock, peers, ...rest }: ChallengesOptions) {
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
    /** Looks into this node's webroot, as Member.findChallenge promises. */
    find: async (token: string): Promise<string> => (await challengeInFile(webroot, token)) ?? '',
    close: () => responder.close(),
  };
}

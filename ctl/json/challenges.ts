import { tokenOf } from '../../agent/core/certs/challenge.ts';
import type { Intent } from '../../agent/core/model.ts';
import { time, timeOrNull } from './wish.ts';

/** The `result` of `acme present` and `acme cleanup`. */
export interface ChallengeJson {
  readonly token: string;
  readonly domain: string | null;
}

/** An empty domain is none. */
export const challengeResult = (token: string, domain: string): ChallengeJson => ({
  token,
  domain: domain === '' ? null : domain,
});

/** The `result` of `acme list`. */
export interface ChallengesJson {
  readonly tokens: readonly {
    readonly token: string | null;
    readonly actor: string;
    readonly reason: string;
    readonly since: string;
    readonly until: string | null;
  }[];
}

/** Never the answers themselves. */
export const challengesResult = (tokens: readonly Intent[]): ChallengesJson => ({
  tokens: tokens.map((intent) => ({
    token: tokenOf(intent),
    actor: intent.actor,
    reason: intent.reason,
    since: time(intent.stamp.wallMs),
    until: timeOrNull(intent.untilWallMs),
  })),
});

import type { ChallengeAct } from '../core/acts.ts';
import { ActFailure, type ActError, type ActResult, type NodeOutcome } from '../core/results.ts';
import { challengeKey, checkChallenge } from '../core/certs/challenge.ts';
import { wish } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { Report } from '../core/verbs.ts';
import {
  failed,
  present,
  refuseStale,
  result,
  stamped,
  steps,
  storeEverywhere,
  type Pair,
  untouched,
  refuseUnstored,
} from './pair.ts';

/**
 * `acme present` and `acme cleanup`. A token is presented once every node in
 * touch has it on disk and its own responder gave the right answer on each of
 * its addresses; a node that is away catches up with the intents. Where a
 * responder is wrong nothing stays stored: the CA would meet it every other time.
 */
export async function setChallenge(
  pair: Pair,
  act: ChallengeAct,
  ttlMs: number,
  report: Report,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const said = steps(pair.clock, report);
  const { header, token, keyAuthorization } = act;
  checkChallenge(token, keyAuthorization);
  const key = challengeKey(token);
  refuseStale(pair, header, [key]);
  const end = (changed: boolean, nodes: readonly NodeOutcome[]): ActResult => {
    const outcome = nodes.every(({ ok }) => ok) ? 'reached' : 'partial';
    return result(pair, header, startedAtMs, { outcome, changed, nodes });
  };
  const known = wish(pair.intents(), key, pair.clock.wallMs());
  const reason = [act.domain, header.reason].filter((text) => text !== '').join(', ');
  const wishes = (value: string): Intent[] => {
    const [deleted, untilMs] = [value === '', value === '' ? null : ttlMs];
    const asked = { ...header, reason };
    return stamped(pair, asked, [{ key, value, deleted, untilMs }]);
  };

  if (keyAuthorization === null) {
    if (known === null) return end(false, untouched(pair));
    if (header.dryRun) return result(pair, header, startedAtMs, { outcome: 'would-change' });
    const nodes = await storeEverywhere(pair, wishes(''));
    refuseUnstored(nodes);
    said('storing', `${short(token)} taken back on ${namesOf(nodes)}`);
    return end(true, nodes);
  }

  const same = known?.value === keyAuthorization && endsLate(known, pair.clock.wallMs(), ttlMs);
  await checkOn(pair, same ? token : '');
  said('checking', `responders answer on ${namesOf(untouched(pair))}`);
  if (same) return end(false, untouched(pair));
  if (header.dryRun) return result(pair, header, startedAtMs, { outcome: 'would-change' });
  const stored = await storeEverywhere(pair, wishes(keyAuthorization));
  refuseUnstored(stored);
  said('storing', `${short(token)} on ${namesOf(stored)}`);
  try {
    await checkOn(pair, token);
  } catch (error) {
    await storeEverywhere(pair, wishes(''));
    throw error;
  }
  said('confirmed', `answered on ${namesOf(stored)}`);
  return end(true, stored);
}

/** Enough for a log line to be told from another; the token alone opens nothing. */
const short = (token: string): string => `token ${token.slice(0, 8)}...`;

const namesOf = (nodes: readonly NodeOutcome[]): string =>
  nodes
    .filter(({ ok }) => ok)
    .map(({ node }) => node)
    .join(', ');

/** Half of its time is left, or more: it need not be said again. */
const endsLate = ({ untilWallMs }: Intent, wallMs: number, ttlMs: number): boolean =>
  untilWallMs === null || untilWallMs - wallMs > ttlMs / 2;

/** Throws ActFailure 'failed' where the responder of a node in touch is wrong; one that went away is not. */
async function checkOn(pair: Pair, token: string): Promise<void> {
  const answers = await Promise.all(
    present(pair).map(async (member): Promise<ActError | null> => {
      try {
        await member.checkChallenge(token);
        return null;
      } catch (error) {
        if (error instanceof ActFailure && error.outcome === 'unreachable') return null;
        return failed(member.node, error).error;
      }
    }),
  );
  const first = answers.find((answer) => answer !== null);
  if (first)
    throw new ActFailure('failed', { ...first, message: `not presented: ${first.message}` });
}

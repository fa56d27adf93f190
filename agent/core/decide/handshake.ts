import { alert } from '../alerts/alert.ts';
import type { Part } from './decision.ts';
import { isObserver } from '../health.ts';
import { deadMaster, tookEarly } from './early.ts';
import { goalOf, isPaused, letsWin, type Candidate } from './candidates.ts';
import { explain } from './reasons.ts';
import { isBeyondAsking } from './unserved.ts';
import { desiredAdvskew, hasSeen, isRescued, put, where, type Situation } from './situation.ts';
import {
  effectiveAdvskew,
  FORCE_INTERVAL_MS,
  FORCE_LIMIT,
  FORCE_WINDOW_MS,
  GRANT_MS,
  SETTLED_MS,
} from '../timing.ts';

/**
 * The holder's half: MASTER here, another should own the address, and what the
 * kernel holds here already lets it win: name it as taker. A grant stands for
 * GRANT_MS; meanwhile it is neither withdrawn nor given to another.
 */
export function grantFor(at: Situation): Part | null {
  const { mine, view, ownership, memory, nowMs } = at;
  const standing = memory.grants.get(mine.address);
  if (mine.state !== 'MASTER') return null;
  if (standing !== undefined && nowMs < standing.sinceMs + GRANT_MS) {
    const reason = `hands ${mine.address} to ${standing.to}`;
    return { reason, yieldTo: standing.to, memory, wakeAtMs: standing.sinceMs + GRANT_MS };
  }
  const taker = ownership.owner;
  if (taker === null || taker.node === view.self || taker.isMaster || !taker.able) return null;
  if (!(at.me.joined || isRescued(at)) || !lets(at, taker)) return null;
  return {
    reason: explain(at),
    yieldTo: taker.node,
    memory: {
      ...memory,
      grants: put(memory.grants, mine.address, { to: taker.node, sinceMs: nowMs }),
      // What it hands over on purpose has stood.
      forces: put(memory.forces, mine.address, null),
    },
    wakeAtMs: nowMs + GRANT_MS,
  };
}

/** True when neither this holder nor a bystander would beat the taker in the kernels' comparison. */
function lets(at: Situation, taker: Candidate): boolean {
  const { mine, me, ownership, view } = at;
  const goal = goalOf(taker);
  if (mine.advskew !== desiredAdvskew(at)) return false;
  if (goal > effectiveAdvskew(mine.advskew, me.demotion)) return false;
  return ownership.candidates
    .filter(({ node }) => node !== taker.node && node !== view.self)
    .every((bystander) => letsWin(bystander, goal));
}

/**
 * The taker's half: forces itself MASTER with its base advskew in one command,
 * when every MASTER named it; when nobody is MASTER and every configured node is
 * fresh, names this one as owner and has seen its present state; when the
 * MASTER is dead by every test; or as the one that keeps every address while
 * adverts are lost.
 */
export function takeFor(at: Situation): Part | null {
  const { mine, view, ownership, masters, memory, nowMs } = at;
  if (mine.state !== 'BACKUP' || mine.baseAdvskew === null) return null;
  // A dead HAProxy keeps nothing that another is to have for it.
  const keeps = at.keeper === view.self && !isRescued(at);
  if (!keeps && ownership.owner?.node !== view.self) return null;
  const holders = masters.filter(({ node }) => node !== view.self);
  // What a dead HAProxy gives away is taken by one that has not met everybody yet as well.
  const rescues = holders.length > 0 && holders.every(({ report }) => report.health === 'down');
  if (!at.me.joined && (!rescues || isObserver(at.me))) return null;
  const dead = deadMaster(at);
  const invited =
    keeps ||
    dead !== null ||
    (holders.length === 0
      ? !isPaused(view) && nobodyIsMaster(at)
      : holders.every((holder) => isNamedBy(at, holder)));
  if (!invited) return null;

  const forces = memory.forces.get(mine.address) ?? [];
  const last = forces.at(-1);
  if (forces.length >= FORCE_LIMIT) {
    const text = `forced ${mine.address} ${forces.length} times and it did not stand; waits`;
    return {
      reason: text,
      alerts: [alert('move-failed', mine.address, text, 'proxyctl doctor')],
      wakeAtMs: (forces[0] ?? nowMs) + FORCE_WINDOW_MS,
    };
  }
  if (last !== undefined && nowMs < last + FORCE_INTERVAL_MS) {
    return { reason: explain(at), wakeAtMs: last + FORCE_INTERVAL_MS };
  }
  const reason =
    dead === null ? explain(at) : `${mine.address} is taken early: ${dead.node} is dead`;
  const forced = { ...memory, forces: put(memory.forces, mine.address, [...forces, nowMs]) };
  return {
    reason,
    actions: [{ kind: 'take', advskew: mine.baseAdvskew, reason, ...where(mine) }],
    memory: dead === null ? forced : tookEarly(forced, dead, nowMs),
    wakeAtMs: nowMs + FORCE_INTERVAL_MS,
  };
}

/** This holder's word lets the take stand; of several MASTERs each has to say it. */
const isNamedBy = (at: Situation, holder: Candidate): boolean =>
  (holder.address.yieldTo === at.view.self || isBeyondAsking(at.view, holder)) &&
  wouldStand(at, holder) &&
  mayBeLast(at, holder);

/**
 * A MASTER that does not hear another may have been promoted for just that
 * reason. With a node absent that is not known dead it must have stood for
 * longer than two MASTERs that hear each other would, and not be cut off.
 */
function mayBeLast({ ownership, view, nowMs }: Situation, { address }: Candidate): boolean {
  const fresh = new Set(ownership.candidates.map(({ node }) => node));
  const unknown = view.nodes.some(
    ({ node, peerClass }) => !fresh.has(node) && peerClass !== 'dead',
  );
  return !unknown || (!address.cutOff && nowMs - address.stateSinceMs >= SETTLED_MS);
}

/** Whether the kernels let a forced promotion stand: at most the holder's, below every other's. */
function wouldStand(at: Situation, holder: Candidate): boolean {
  const { mine, me, ownership, view } = at;
  const goal = effectiveAdvskew(mine.baseAdvskew ?? mine.advskew, me.demotion);
  if (goal > effectiveAdvskew(holder.address.advskew, holder.report.demotion)) return false;
  return ownership.candidates
    .filter(({ node }) => node !== view.self && node !== holder.node)
    .every((bystander) => letsWin(bystander, goal));
}

/**
 * Every configured node is fresh and carries it, all name this node and have seen it as it is.
 * One whose CARP state is unknown may be MASTER; one beyond asking names whoever is better.
 */
function nobodyIsMaster({ me, view, ownership }: Situation): boolean {
  if (ownership.candidates.some(({ address }) => address.state === 'unknown')) return false;
  if (ownership.candidates.length !== view.nodes.length || view.nodes.length < 2) return false;
  return ownership.candidates
    .filter(({ node }) => node !== view.self)
    .every(
      (one) =>
        isBeyondAsking(view, one) || (one.address.owner === view.self && hasSeen(one.report, me)),
    );
}

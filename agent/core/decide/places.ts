import type { PlaceName } from '../answers.ts';
import { isOpen } from '../health.ts';
import { pinKey, wish } from '../intents.ts';
import type { Health } from '../model.ts';
import { effectiveAdvskew } from '../timing.ts';
import {
  isFit,
  isLost,
  isMaintained,
  isPaused,
  isSpent,
  unfit,
  type Candidate,
} from './candidates.ts';
import type { View } from './view.ts';

/** All who could own one address, and what is wished of it, at one moment. */
export interface Field {
  readonly candidates: readonly Candidate[];
  readonly view: View;
  readonly nowMs: number;
}

/** The owner, and the one it was closest with. */
interface Choice {
  readonly chosen: Candidate;
  readonly other: Candidate;
  readonly view: View;
}

/** One thing that candidates are compared by. */
export interface Place {
  /** The word for it in `because`. */
  readonly name: PlaceName;
  /** Smaller is better. */
  readonly number: (candidate: Candidate, field: Field) => number;
  /** Why the owner is the owner where this place decided it. */
  readonly says: (choice: Choice) => string;
  /** A move that this place decides is a failback or for degraded health: the budget counts it. */
  readonly counts?: true;
}

/**
 * What decides who owns an address, the weightiest first; the first place in
 * which two differ decides between them. Ages come from the writers' reports,
 * so that all nodes reach the same verdict. A host with a living HAProxy beats
 * one whose HAProxy is dead, however bad it is otherwise, so long as it is able.
 */
export const PLACES: readonly Place[] = [
  {
    name: 'able',
    number: ({ able }) => Number(!able),
    says: ({ other }) => `${other.node} cannot take it (${unfit(other)})`,
  },
  {
    name: 'haproxy',
    number: (candidate, field) => Number(!isPaused(field.view) && isDown(candidate, field)),
    says: ({ other }) => `${other.report.healthReason} on ${other.node}`,
  },
  {
    name: 'partly',
    number: (candidate, field) => Number(isOutserved(candidate, field)),
    says: ({ other }) => `${other.report.healthReason} on ${other.node}`,
  },
  {
    name: 'joined',
    number: ({ joined }) => Number(!joined),
    says: ({ other }) => `${other.node} cannot take it (${unfit(other)})`,
  },
  {
    name: 'demotion',
    number: (candidate, field) => Number(isOutdone(candidate, field)),
    says: ({ other }) => `${other.node} is demoted (${unfit(other)})`,
  },
  {
    name: 'maintenance',
    number: (candidate, { view }) => Number(isMaintained(candidate, view)),
    says: ({ other }) => `${other.node} is in maintenance`,
  },
  {
    name: 'pin',
    number: (candidate, field) =>
      Number(pinOf(candidate, field.view) !== null && !isPinnedHere(candidate, field)),
    says: pinned,
  },
  {
    name: 'degraded',
    number: (candidate, field) => Number(!isBound(field) && isLongDegraded(candidate, field)),
    says: ({ other }) => `${other.node} is degraded: ${other.report.healthReason}`,
    counts: true,
  },
  {
    name: 'ripe',
    number: (candidate, field) =>
      mastersOf(field).length > 1 ? standing(candidate, field) : Number(!isRipe(candidate, field)),
    says: ({ chosen }) =>
      chosen.isMaster ? 'it holds it and no failback is due' : 'it may take it back',
    counts: true,
  },
  {
    name: 'advskew',
    // Several MASTERs: what the kernels compare decides, so that both agree.
    number: (candidate, field) =>
      mastersOf(field).length > 1
        ? effectiveAdvskew(candidate.address.advskew, candidate.report.demotion)
        : skew(candidate),
    says: preferred,
    counts: true,
  },
  {
    name: 'name',
    number: ({ node }, { candidates }) => candidates.filter((one) => one.node < node).length,
    says: preferred,
    counts: true,
  },
];

const mastersOf = ({ candidates }: Field): readonly Candidate[] =>
  candidates.filter(({ isMaster }) => isMaster);

const skew = ({ address }: Candidate): number => address.baseAdvskew ?? address.advskew;

const pinOf = ({ address }: Candidate, view: View) =>
  wish(view.intents, pinKey(address.address), view.wallMs);

/**
 * HAProxy is down, and lives on another that is able; where only a node in maintenance could
 * replace it, it counts after `hold`. With all of them dead none is better for having died later.
 */
const isDown = (candidate: Candidate, field: Field): boolean =>
  candidate.report.health === 'down' &&
  (replaces(field, lives) || (isLasting(candidate, field) && isAlive(field)));

const lives = (health: Health): boolean => health !== 'down';

const isAlive = ({ candidates }: Field): boolean =>
  candidates.some(({ able, report }) => able && lives(report.health));

/**
 * A required frontend is closed, and open on another; of one that cannot be asked nobody can
 * say that it would be better, and of a MASTER none that it is worse.
 */
function isOutserved(candidate: Candidate, field: Field): boolean {
  const { candidates, view } = field;
  if (isPaused(view) || isOpen(candidate.report.health)) return false;
  const closed = candidates.filter((one) => one.able && one.report.health === 'partly');
  const open = candidates.some((one) => one.able && isOpen(one.report.health));
  const counts = open && (replaces(field, isOpen) || closed.some((one) => isLasting(one, field)));
  if (!counts || closed.length === 0) return false;
  return candidate.report.health === 'unknown' ? !candidate.isMaster : true;
}

/** One that is able and not in maintenance has such a health. */
const replaces = ({ candidates, view }: Field, is: (health: Health) => boolean): boolean =>
  candidates.some((one) => one.able && is(one.report.health) && !isMaintained(one, view));

/** Its health has been as it is for `hold`. */
const isLasting = ({ report }: Candidate, { view, nowMs }: Field): boolean =>
  nowMs - report.healthSinceMs >= view.policy.holdMs;

/**
 * Demoted, and another is not. Of a MASTER it counts once that other has been
 * ready for `hold`: one whose HAProxy comes and goes must not take it each time.
 */
const isOutdone = ({ demoted, isMaster }: Candidate, field: Field): boolean =>
  demoted &&
  (!isMaster || field.candidates.some((other) => !other.demoted && isReady(other, field)));

const isReady = ({ address }: Candidate, { view, nowMs }: Field): boolean =>
  nowMs - address.readySinceMs >= view.policy.holdMs;

/** Failback and moves for degraded health wait. */
const isBound = ({ candidates, view, nowMs }: Field): boolean =>
  isLost(candidates) || isPaused(view) || isSpent(candidates, view, nowMs);

function isLongDegraded(candidate: Candidate, field: Field): boolean {
  const { candidates } = field;
  if (candidate.report.health !== 'degraded' || !isLasting(candidate, field)) return false;
  // Of one whose health is unknown nobody can say that it would be better.
  return candidates.some(
    (one) => one !== candidate && isFit(one) && one.report.health !== 'unknown',
  );
}

/** It is pinned here, and that applies: it is MASTER, or may become it now. */
function isPinnedHere(candidate: Candidate, field: Field): boolean {
  const { node, address, isMaster } = candidate;
  if (pinOf(candidate, field.view)?.value !== node) return false;
  // A pin keeps no address on one that nobody reaches while another MASTER is in touch.
  if (isMaster) return standing(candidate, field) === 0;
  const isUnreached = !field.view.reachedPins.has(address.address);
  // A planned move onto a node whose adverts do not arrive ends in two MASTERs.
  return !isLost(field.candidates) && (isReady(candidate, field) || isUnreached);
}

/** One that is fit and known to serve is there: what is unknown waits. */
const isKnown = ({ candidates }: Field): boolean =>
  candidates.some((one) => isFit(one) && isOpen(one.report.health));

/** It is MASTER, or may take the address back. */
export function isRipe(candidate: Candidate, field: Field): boolean {
  if (candidate.isMaster) return true;
  const known = candidate.report.health !== 'unknown' || !isKnown(field);
  if (mastersOf(field).length === 0) return known;
  if (isPinnedHere(candidate, field)) return true;
  const mayReturn = field.view.policy.failback === 'auto' && !isBound(field) && known;
  return mayReturn && isFit(candidate) && isReady(candidate, field);
}

/**
 * Of several MASTERs one that nobody has answered since its agent's start is
 * worse than one that is in touch; who is no MASTER comes last.
 */
function standing({ node, isMaster, address }: Candidate, field: Field): number {
  if (!isMaster) return 2;
  // Who has named it is about to stand back, and is heard: it is no second MASTER.
  const others = mastersOf(field).filter((one) => one.address.yieldTo !== node);
  return Number(!address.inTouch && others.some((one) => one.address.inTouch));
}

function pinned({ chosen, view }: Choice): string {
  const pin = pinOf(chosen, view);
  if (pin === null) return 'pinned';
  return `pinned to ${pin.value} by ${pin.actor}${pin.reason === '' ? '' : `, "${pin.reason}"`}`;
}

function preferred(choice: Choice): string {
  const { chosen, other, view } = choice;
  if (pinOf(chosen, view)?.value === chosen.node) return pinned(choice);
  return `it serves and is preferred (advskew ${skew(chosen)} against ${skew(other)})`;
}

import type { PlaceName } from '../answers.ts';
import { PAUSE_KEY, pinKey, wish } from '../intents.ts';
import { effectiveAdvskew } from '../timing.ts';
import { isLost, isMaintained, isPaused, isSpent, type Candidate } from './candidates.ts';
import { owner, type Ownership } from './owner.ts';
import type { Situation } from './situation.ts';
import type { View } from './view.ts';

/** The one sentence that says why the address should be where the decision puts it. */
export function explain(at: Situation): string {
  const { mine, ownership, masters } = at;
  const chosen = ownership.owner;
  if (chosen === null) return `${mine.address}: no node can own it`;
  const holder = masters.find(({ node }) => node !== chosen.node);
  const verb = chosen.isMaster
    ? `stays on ${chosen.node}`
    : holder === undefined
      ? `belongs on ${chosen.node}`
      : `moves from ${holder.node} to ${chosen.node}`;
  return `${mine.address} ${verb}: ${cause(at, chosen)}`;
}

/** What the sentence is made from. */
type Inputs = Pick<Situation, 'mine' | 'ownership' | 'masters' | 'view' | 'nowMs'>;

function cause(at: Inputs, chosen: Candidate): string {
  const { ownership, view } = at;
  const { place, over } = ownership;
  if (place === null || over === null) {
    const silent = view.nodes.filter(({ fresh }) => !fresh).map(({ node }) => node);
    return silent.length === 0 ? 'no other node carries it' : `${silent.join(', ')} is not heard`;
  }
  if (isPaused(view)) return whilePaused(at, chosen);
  if (place.name === 'pin')
    return pinned(at, chosen.node) ?? place.says({ chosen, other: over, view });
  if (PREFERENCE.includes(place.name)) return preference(at, chosen, over);
  return place.says({ chosen, other: over, view });
}

/** Where the hosts are equal so far, and only which of them is preferred is left. */
const PREFERENCE: readonly PlaceName[] = ['ripe', 'advskew', 'name'];

/** A pause is the cause only of what would be otherwise without it. */
function whilePaused(at: Inputs, chosen: Candidate): string {
  const intents = new Map(at.view.intents);
  intents.delete(PAUSE_KEY);
  const view: View = { ...at.view, intents };
  const ownership = owner(at.mine.address, view, at.nowMs);
  const free = ownership.owner;
  if (free === null) return 'automation is paused';
  const why = cause({ ...at, view, ownership }, free);
  if (free.node === chosen.node) return why;
  return `automation is paused; else it would go to ${free.node}: ${why}`;
}

function preference(at: Inputs, chosen: Candidate, other: Candidate): string {
  const { ownership, view, masters } = at;
  const { candidates } = ownership;
  const nodes = candidates.length === 2 ? 'both nodes' : 'every node';
  const equal = candidates.every(({ report }) => report.health === 'down')
    ? `HAProxy is down on ${nodes}`
    : candidates.every((one) => isMaintained(one, view))
      ? `${candidates.length === 2 ? 'both nodes are' : 'every node is'} in maintenance`
      : null;
  const why =
    masters.length > 1
      ? ofSeveral(ownership, chosen, other)
      : chosen.isMaster && isWanted(at, other, chosen)
        ? heldBack(at, chosen, other)
        : home(at, chosen, other);
  if (equal === null) return why;
  return masters.length === 1 && chosen.isMaster ? equal : `${equal}; ${why}`;
}

const skew = ({ address }: Candidate): number => address.baseAdvskew ?? address.advskew;

/** The one with the lower base, then by name: where an address is at home. */
const isPreferred = (one: Candidate, than: Candidate): boolean =>
  skew(one) < skew(than) || (skew(one) === skew(than) && one.node < than.node);

/** Something speaks for the other, and is not enough. */
const isWanted = (at: Inputs, other: Candidate, holder: Candidate): boolean =>
  pinned(at, holder.node) === null &&
  (isPreferred(other, holder) || isWorse(holder, other) || pinned(at, other.node) !== null);

const isWorse = ({ report }: Candidate, than: Candidate): boolean =>
  report.health === 'degraded' && than.report.health === 'serving';

/** Two MASTERs at once: the kernels compare what they advertise. */
function ofSeveral({ place }: Ownership, chosen: Candidate, other: Candidate): string {
  if (!other.isMaster) return `${other.node} is not MASTER and several others are`;
  if (place?.name === 'ripe') return `${other.node} is MASTER too, and nobody has answered it yet`;
  const effective = ({ address, report }: Candidate): number =>
    effectiveAdvskew(address.advskew, report.demotion);
  return `both are MASTER, and it advertises more often (advskew ${effective(chosen)} against ${effective(other)})`;
}

/** Why the MASTER keeps it although the other is preferred, or is better. */
function heldBack(at: Inputs, chosen: Candidate, other: Candidate): string {
  const { ownership, view, nowMs } = at;
  const { candidates } = ownership;
  const { failback, holdMs, maxMoves, windowMs } = view.policy;
  const worse = isWorse(chosen, other);
  const although = worse ? `, although it is degraded: ${chosen.report.healthReason}` : '';
  if (isLost(candidates)) return `CARP adverts are lost between the nodes${although}`;
  const pin = pinned(at, other.node);
  if (pin !== null) return `${pin}, which takes it once it has been well for ${seconds(holdMs)}`;
  if (isSpent(candidates, view, nowMs))
    return `${maxMoves} moves for health in ${minutes(windowMs)} are used up${although}`;
  if (worse) return `it is degraded for less than ${seconds(holdMs)}`;
  if (failback === 'manual')
    return `failback is manual: proxyctl failback brings it to ${other.node}`;
  if (other.report.health !== 'serving')
    return `${other.node} is ${other.report.health}: ${other.report.healthReason}`;
  return `${other.node} takes it back once it has been well for ${seconds(holdMs)}`;
}

/** It is where it belongs, or goes there. */
function home(at: Inputs, chosen: Candidate, other: Candidate): string {
  const pin = pinned(at, chosen.node);
  if (pin !== null) return pin;
  if (!isPreferred(chosen, other)) return 'it holds it and no failback is due';
  const serves =
    chosen.report.health === 'serving' ? 'it serves and is preferred' : 'it is preferred';
  const back = !chosen.isMaster && at.masters.length === 1 ? 'failback, ' : '';
  return `${back}${serves} (advskew ${skew(chosen)} against ${skew(other)})`;
}

/** Who wants the address on that node, in an operator's words; null: nobody. */
function pinned({ mine, view }: Inputs, node: string): string | null {
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  if (pin?.value !== node) return null;
  const what = pin.failback ? 'failback' : `pinned to ${node}`;
  return `${what} by ${pin.actor}${pin.reason === '' ? '' : `, "${pin.reason}"`}`;
}

const seconds = (ms: number): string => `${ms / 1000} s`;
const minutes = (ms: number): string =>
  ms < 60_000 ? seconds(ms) : `${Math.round(ms / 60_000)} min`;

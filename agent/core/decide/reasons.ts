import { pinKey, wish } from '../intents.ts';
import { isObserver } from '../health.ts';
import type { Candidate } from './owner.ts';
import type { Situation } from './situation.ts';

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

function cause(at: Situation, chosen: Candidate): string {
  const { ownership, view, mine } = at;
  const other = ownership.over;
  if (other === null) return lonely(at);
  switch (ownership.because) {
    case 'only':
      return lonely(at);
    case 'able':
      return `${other.node} cannot take it (${unable(other)})`;
    case 'haproxy':
      return `${other.report.healthReason} on ${other.node}`;
    case 'maintenance':
      return `${other.node} is in maintenance`;
    case 'pin':
      return pinned(at);
    case 'degraded':
      return `${other.node} is degraded: ${other.report.healthReason}`;
    case 'holds':
      return chosen.isMaster ? 'it holds it and no failback is due' : 'it may take it back';
    case 'advskew':
    case 'name': {
      const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
      if (pin?.value === chosen.node) return pinned(at);
      return `it serves and is preferred (advskew ${skew(chosen)} against ${skew(other)})`;
    }
  }
}

const skew = ({ address }: Candidate): number => address.baseAdvskew ?? address.advskew;

function lonely({ view }: Situation): string {
  const silent = view.nodes.filter(({ fresh }) => !fresh).map(({ node }) => node);
  return silent.length === 0 ? 'no other node carries it' : `${silent.join(', ')} is not heard`;
}

function pinned({ view, mine }: Situation): string {
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  if (pin === null) return 'pinned';
  return `pinned to ${pin.value} by ${pin.actor}${pin.reason === '' ? '' : `, "${pin.reason}"`}`;
}

/** Why a node cannot own an address, in a few words. */
export function unable({ report, address }: Candidate): string {
  if (address.state === 'INIT') return 'its vhid is INIT';
  if (address.cutOff) return 'nobody answers it on that network';
  if (report.leaving) return 'it is shutting down';
  if (isObserver(report)) return 'its agent is not privileged and only observes';
  if (!report.joined) return 'its agent has just started';
  return `its CARP demotion is ${report.demotion}`;
}

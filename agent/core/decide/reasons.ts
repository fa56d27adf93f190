import type { Candidate } from './candidates.ts';
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

function cause({ ownership, view }: Situation, chosen: Candidate): string {
  const { place, over } = ownership;
  if (place !== null && over !== null) return place.says({ chosen, other: over, view });
  const silent = view.nodes.filter(({ fresh }) => !fresh).map(({ node }) => node);
  return silent.length === 0 ? 'no other node carries it' : `${silent.join(', ')} is not heard`;
}

import { EVENT_KINDS, isOfKind, type EventsAsk } from '../core/events/events.ts';
import type { LinesAnswer } from '../core/lines.ts';
import { ActFailure } from '../core/results.ts';
import { nearest } from '../core/words.ts';
import { linesOfAll } from './lines.ts';
import type { Pair } from './pair.ts';

/**
 * `events`: what happened, from the record of every node, or of those named. Throws ActFailure
 * for a kind that there is none of, and for a node that is not configured.
 */
export async function events(pair: Pair, ask: EventsAsk): Promise<LinesAnswer> {
  for (const kind of ask.kinds)
    if (!EVENT_KINDS.some((known) => isOfKind(known, kind)))
      throw noSuch('kind of event', kind, KINDS);
  const nodes = pair.members.map(({ node }) => node);
  for (const node of ask.nodes) if (!nodes.includes(node)) throw noSuch('node', node, nodes);
  const asked = pair.members.filter(
    ({ node }) => ask.nodes.length === 0 || ask.nodes.includes(node),
  );
  return linesOfAll(pair, asked, ask.limit, (member) => member.events(ask));
}

/** Every kind, and the words that stand for several. */
const KINDS = [...new Set(EVENT_KINDS.flatMap((kind) => [kind, kind.split('-')[0] ?? kind]))];

function noSuch(what: string, named: string, known: readonly string[]): ActFailure {
  const near = nearest(named, known);
  return new ActFailure('not-found', {
    code: what === 'node' ? 'node_unknown' : 'kind_unknown',
    message: `no ${what} is called ${JSON.stringify(named)}`,
    remediation: near === null ? `there are ${known.join(', ')}` : `did you mean ${near}?`,
  });
}

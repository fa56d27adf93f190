import type { proxyctl } from '../../proto/gen/messages.js';
import type { EventsAsk } from '../core/events/events.ts';
import { MOST_LINES } from '../core/lines.ts';
import { COUNTS, listed, named } from './bounds.ts';
import { uint32 } from './fields.ts';

/** Which events are asked for, as it travels. */
export const eventsAskToWire = (ask: EventsAsk): proxyctl.v1.EventsRequest.$Properties => ({
  sinceMs: ask.sinceMs === null ? null : uint32(ask.sinceMs),
  untilMs: ask.untilMs === null ? null : uint32(ask.untilMs),
  kinds: [...ask.kinds],
  nodes: [...ask.nodes],
  limit: ask.limit,
});

/** The same on arrival; none said is the most there can be. Throws WireError. */
export const eventsAskFromWire = (wire: proxyctl.v1.EventsRequest): EventsAsk => ({
  sinceMs: wire.sinceMs ?? null,
  untilMs: wire.untilMs ?? null,
  kinds: listed('kinds', wire.kinds, COUNTS.kinds, (kind, field) => named(field, kind)),
  nodes: listed('nodes', wire.nodes, COUNTS.nodes, (node, field) => named(field, node)),
  limit: wire.limit === 0 ? MOST_LINES : Math.min(MOST_LINES, wire.limit),
});

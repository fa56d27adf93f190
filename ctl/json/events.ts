import { eventJson, eventLine } from '../../agent/core/events/event-lines.ts';
import type { PairEvent } from '../../agent/core/events/events.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';

/** The `result` of `events`. */
export interface EventsJson {
  readonly events: readonly ReturnType<typeof eventResult>[];
  readonly left_out: readonly { readonly node: string; readonly reason: string }[];
}

export const eventsResult = (
  events: readonly PairEvent[],
  nodes: LinesAnswer['nodes'],
): EventsJson => ({
  events: events.map(eventResult),
  left_out: nodes
    .filter(({ leftOut }) => leftOut !== '')
    .map(({ node, leftOut }) => ({ node, reason: leftOut })),
});

/** One event on a line of its own, as it stands in the file. */
export const eventText = (event: PairEvent): string => `${eventLine(event)}\n`;

/** Every key is there: what does not apply is null. */
const eventResult = (event: PairEvent) => ({
  ...eventJson(event),
  alert: event.alert ?? null,
  remedy: event.remedy ?? null,
  from: event.from ?? null,
  to: event.to ?? null,
  cause: event.cause ?? null,
  actor: event.actor ?? null,
  reason: event.reason ?? null,
  request_id: event.requestId ?? null,
  until: event.until ?? null,
  objects: event.objects ?? [],
  objects_count: event.objectsCount ?? event.objects?.length ?? 0,
  lasted_ms: event.lastedMs ?? null,
  count: event.count ?? null,
});

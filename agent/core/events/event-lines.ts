import { EVENT_KINDS, type EventSeverity, type PairEvent } from './events.ts';
import { isLineTime, jsonLine, objectIn, type LinesAnswer } from '../lines.ts';

/** The event as it stands in the record, in a line for a log shipper and in JSON: what does not apply is absent. */
export const eventJson = (event: PairEvent) => ({
  time: event.time,
  id: event.id,
  node: event.node,
  kind: event.kind,
  severity: event.severity,
  subject: event.subject,
  text: event.text,
  alert: event.alert,
  remedy: event.remedy,
  from: event.from,
  to: event.to,
  cause: event.cause,
  actor: event.actor,
  reason: event.reason,
  request_id: event.requestId,
  until: event.until,
  objects: event.objects,
  objects_count: event.objectsCount,
  lasted_ms: event.lastedMs,
  count: event.count,
});

/** One line of JSON without its end. */
export const eventLine = (event: PairEvent): string => jsonLine(eventJson(event));

const SEVERITIES: readonly EventSeverity[] = ['info', 'warn', 'fail'];

/** What a line says; null for one that is none: half of one, or of another program. */
export function eventOf(line: string): PairEvent | null {
  const read = objectIn(line);
  if (read === null) return null;
  const [time, id, node] = [text(read['time']), text(read['id']), text(read['node'])];
  if (!isLineTime(time) || id === '' || node === '') return null;
  const objects = read['objects'];
  return {
    time,
    id,
    node,
    kind: EVENT_KINDS.find((known) => known === read['kind']) ?? 'unknown',
    severity: SEVERITIES.find((known) => known === read['severity']) ?? 'unknown',
    subject: text(read['subject']),
    text: text(read['text']),
    ...texts(read),
    ...(Array.isArray(objects) ? { objects: objects.map(text) } : {}),
    ...number('objectsCount', read['objects_count']),
    ...number('lastedMs', read['lasted_ms']),
    ...number('count', read['count']),
  };
}

/** What the lines say, the newest last; a line that says nothing is left out. */
export const eventsOf = ({ lines }: Pick<LinesAnswer, 'lines'>): PairEvent[] =>
  lines.flatMap(({ node, line }) => {
    const event = eventOf(line);
    // Who gave it counts, not who it says it is of.
    return event === null ? [] : [{ ...event, node }];
  });

const OPTIONAL = {
  alert: 'alert',
  remedy: 'remedy',
  from: 'from',
  to: 'to',
  cause: 'cause',
  actor: 'actor',
  reason: 'reason',
  requestId: 'request_id',
  until: 'until',
} as const;

const texts = (
  read: Readonly<Record<string, unknown>>,
): { [K in keyof typeof OPTIONAL]?: string } =>
  Object.fromEntries(
    Object.entries(OPTIONAL).flatMap(([name, key]) =>
      typeof read[key] === 'string' ? [[name, read[key]] as const] : [],
    ),
  );

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = <K extends string>(name: K, value: unknown): { [P in K]?: number } =>
  (typeof value === 'number' ? { [name]: value } : {}) as { [P in K]?: number };

/** So many of what an event is about are named; the others are counted. */
const MOST_OBJECTS = 20;
/** Of a name and of a sentence. */
const [LONGEST_NAME, LONGEST_TEXT] = [256, 500];

/** The same event with every text and list of a length that is known. */
export function boundedEvent<T extends Partial<PairEvent>>(event: T): T {
  const kept = Object.entries(event).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined) return [];
    if (Array.isArray(value))
      return [[name, value.slice(0, MOST_OBJECTS).map((one) => cut(String(one), LONGEST_NAME))]];
    if (typeof value !== 'string') return [[name, value]];
    const isName = name !== 'text' && name !== 'remedy' && name !== 'reason';
    return [[name, cut(value, isName ? LONGEST_NAME : LONGEST_TEXT)]];
  });
  return Object.fromEntries(kept) as T;
}

const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 3)}...` : text;

import { boundedEvent, eventLine, eventOf } from '../core/events/event-lines.ts';
import { happening, isOfKind, type EventsAsk, type Happening } from '../core/events/events.ts';
import type { PairEvent } from '../core/events/events.ts';
import type { LinePage } from '../core/lines.ts';
import { clearOfSecrets } from '../core/secrets.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { lineFile } from '../sys/line-file.ts';
import { linePage } from '../sys/line-page.ts';
import { perMinute } from '../sys/per-minute.ts';

/** Of one kind about one thing so many a minute are written one by one: what flaps is counted. */
const MOST_A_MINUTE = 20;
/** The newest so many are in memory. */
const MOST_LATEST = 200;

/** What happened on this node. Nothing here throws or waits but `lines`. */
export interface EventRecord {
  add(happenings: readonly Happening[]): void;
  /** Those of this node that are asked for; rejects with ActFailure. */
  lines(ask: EventsAsk): Promise<LinePage>;
  /** The newest since the start of this agent, at most 200, the newest last. */
  latest(): readonly PairEvent[];
  /** Called with each event once it is on record; the returned function ends that. */
  listen(listener: (event: PairEvent) => void): () => void;
  /** newsyslog(8) has moved the file away. */
  reopen(): void;
  /** Says what has been counted; call before exit. */
  close(): void;
}

/**
 * The record of events: a file of one line of JSON each, which newsyslog(8) turns over. What cannot
 * be written to it raises the problem `events`, and is told to listeners all the same.
 */
export function openEvents(options: {
  readonly node: string;
  /** Counts the starts of the agent; with a number of its own it makes an event's id. */
  readonly epoch: number;
  /** Empty: none; then only the latest are known. */
  readonly file: string;
  readonly clock: Clock;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
}): EventRecord {
  const { node, epoch, file, clock, problems } = options;
  const to = file === '' ? null : lineFile(file, true);
  const remedy = `make room (df ${file}), or mend its rights (ls -l ${file}): it is user's of agent.toml`;
  const listeners = new Set<(event: PairEvent) => void>();
  let latest: readonly PairEvent[] = [];
  let [number, lost] = [0, 0];

  const keep = (event: PairEvent): void => {
    if (to === null) return;
    try {
      to.add(eventLine(event));
    } catch (error) {
      lost += 1;
      const cause = `${file}: ${sentence(error)}; what happens is not on record`;
      problems.raise('events', cause, remedy);
      return;
    }
    if (lost === 0) return;
    const count = lost;
    lost = 0;
    problems.clear('events');
    write(happening('events-lost', 'events', `${count} events are not on record`, { count }));
  };
  const write = ({ atWallMs, untilWallMs, ...about }: Happening): void => {
    number += 1;
    const event = boundedEvent(
      clearOfSecrets<PairEvent>({
        ...about,
        ...(untilWallMs === undefined ? {} : { until: new Date(untilWallMs).toISOString() }),
        id: `${node}-${epoch}-${number}`,
        time: new Date(atWallMs ?? clock.wallMs()).toISOString(),
        node,
      }),
    );
    latest = [...latest, event].slice(-MOST_LATEST);
    keep(event);
    for (const listener of listeners) listener(event);
  };
  const often = perMinute<Happening>(clock, MOST_A_MINUTE, (last, count) => {
    const what = last === null ? 'events of many kinds' : last.kind;
    const text = `${what}: ${count} more within a minute, not written one by one`;
    write(happening('events-many', last?.subject ?? 'events', text, { count }));
  });
  return {
    add(happenings) {
      for (const one of happenings) if (often.passes(`${one.kind} ${one.subject}`, one)) write(one);
    },
    async lines(ask) {
      const wallMs = clock.wallMs();
      const wanted = wantedBy(ask, wallMs);
      if (file !== '')
        return linePage(
          file,
          {
            fromWallMs: ask.sinceMs === null ? null : wallMs - ask.sinceMs,
            limit: ask.limit,
            look(line) {
              const event = eventOf(line);
              if (event === null) return null;
              return { wallMs: Date.parse(event.time), wanted: wanted(event) };
            },
          },
          'events_unreadable',
        );
      const from = ask.sinceMs === null ? -Infinity : wallMs - ask.sinceMs;
      const found = latest.filter((one) => wanted(one) && Date.parse(one.time) >= from);
      return { lines: found.slice(-ask.limit).map(eventLine), leftOut: NO_FILE };
    },
    latest: () => latest,
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reopen: () => to?.reopen(),
    close: () => often.flush(),
  };
}

const NO_FILE =
  'log.events in agent.toml is empty: only the newest since the start of the agent are known';

const wantedBy =
  ({ kinds, untilMs }: EventsAsk, wallMs: number) =>
  ({ kind, time }: PairEvent): boolean =>
    (kinds.length === 0 || kinds.some((one) => isOfKind(kind, one))) &&
    (untilMs === null || Date.parse(time) <= wallMs - untilMs);

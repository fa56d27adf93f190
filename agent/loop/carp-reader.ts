import type { LoopLog } from './log.ts';
import type { Problem, Received } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { CarpObservation } from './observe.ts';
import { problem } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** CARP as it is read; agent/carp has the real one. */
export interface CarpSource {
  read(): Promise<CarpObservation>;
  /** Advert counters; null where they cannot be had. */
  received(): Promise<Received | null>;
}

/** Each reading starts three programs: the larger half of what an idle agent costs. */
const EVENTS_FACTOR = 3;

/** The latest reading of CARP; what could not be read is unknown, never the past passed on as present. */
export function carpReader(options: {
  readonly carp: CarpSource;
  readonly clock: Clock;
  readonly log: LoopLog;
  /** Read again after this long even if nothing happens, ms. */
  readonly pollMs: number;
  /** Changes of state are told at once: what remains to be seen (advskew by hand, demotion) may wait longer. */
  readonly hasEvents: () => boolean;
}) {
  const { carp, clock, log, pollMs, hasEvents } = options;
  let reading: CarpObservation | null = null;
  let received: Received | null = null;
  let readAtMs = -Infinity;
  let atMs = -Infinity;
  let trouble: Problem | null = null;
  let counting = false;

  async function read(withCounters: boolean): Promise<void> {
    const nowMs = clock.nowMs();
    readAtMs = nowMs;
    atMs = nowMs;
    try {
      reading = await carp.read();
      // Without counters the fence is lifted on trial by time; nothing else rests on them.
      received = withCounters ? await carp.received().catch(() => null) : null;
      trouble = null;
    } catch (error) {
      reading = null;
      const cause = sentence(error);
      const known = trouble === null ? [] : [trouble];
      if (trouble?.cause !== cause) log.problem({ subject: 'carp', cause });
      trouble = problem(known, 'carp', cause, 'check ifconfig and carp(4) on this host', nowMs);
    }
  }

  const everyMs = (): number =>
    hasEvents() && trouble === null && !counting ? EVENTS_FACTOR * pollMs : pollMs;

  return {
    /** Reads when it is due. */
    async refresh(withCounters: boolean): Promise<void> {
      const counters = withCounters && !counting;
      counting = withCounters;
      if (counters || clock.nowMs() - readAtMs >= everyMs()) await read(withCounters);
    },
    /** What was read may not be so any more. */
    forget: (): void => void (readAtMs = -Infinity),
    reading: (): CarpObservation | null => reading,
    /** When that reading was begun. */
    atMs: (): number => atMs,
    received: (): Received | null => received,
    problem: (): Problem | null => trouble,
    dueAtMs: (): number => readAtMs + everyMs(),
  };
}

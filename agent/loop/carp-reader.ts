import type { LoopLog } from './log.ts';
import type { Problem, Received } from '../core/model.ts';
import { MORE_DESCRIPTORS, noDescriptor } from '../core/descriptors.ts';
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

/** Each reading runs two programs. */
const EVENTS_FACTOR = 3;
/** What was read last stands for so long where only this process could not look, ms. */
const STANDS_MS = 10_000;

/**
 * The latest reading of CARP; what could not be read is unknown, never the past passed on as
 * present. That no descriptor was left is no sign of CARP: then the reading stands a while with its
 * own age, unless something told that it is not so any more.
 */
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
  let told = true;

  async function read(withCounters: boolean): Promise<void> {
    const nowMs = clock.nowMs();
    readAtMs = nowMs;
    try {
      reading = await carp.read();
      atMs = nowMs;
      if (readAtMs === nowMs) told = false;
      // Without counters the fence is lifted on trial by time; nothing else rests on them.
      received = withCounters ? await carp.received().catch(() => null) : null;
      trouble = null;
    } catch (error) {
      const none = noDescriptor(error);
      if (none === null || told || nowMs - atMs > STANDS_MS) {
        reading = null;
        atMs = nowMs;
      }
      const cause = none ?? sentence(error);
      const remedy = none === null ? 'check ifconfig and carp(4) on this host' : MORE_DESCRIPTORS;
      const known = trouble === null ? [] : [trouble];
      if (trouble?.cause !== cause) log.problem({ subject: 'carp', cause });
      trouble = problem(known, 'carp', cause, remedy, nowMs);
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
    forget(): void {
      readAtMs = -Infinity;
      told = true;
    },
    reading: (): CarpObservation | null => reading,
    /** When that reading was begun. */
    atMs: (): number => atMs,
    received: (): Received | null => received,
    problem: (): Problem | null => trouble,
    dueAtMs: (): number => readAtMs + everyMs(),
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { MOST_LINES, type LinesAnswer } from '../../agent/core/lines.ts';
import { unseen } from '../../agent/core/events/unseen.ts';
import { newRequestId } from '../session.ts';

/** Between two readings of --follow, ms. */
const FOLLOW_MS = 1000;
/** Asked for again each time, ms: clocks are set, and a line is written later than its time. */
const OVERLAP_MS = 30_000;
const MOST_KNOWN = 4 * MOST_LINES;

/** Of one reading, as an envelope tells it. */
export interface Told {
  readonly requestId: string;
  readonly tookMs: number;
}

/**
 * Shows `first`, and what is new of each reading after it, until Ctrl-C. `read` asks for what is
 * not older than so many ms; `items` are what a reading holds, told apart by `keyOf`.
 */
export async function follow<T>(
  first: LinesAnswer,
  read: (sinceMs: number) => Promise<LinesAnswer>,
  items: (answer: LinesAnswer) => readonly T[],
  keyOf: (item: T) => string,
  show: (answer: LinesAnswer, fresh: readonly T[], told: Told) => void,
): Promise<never> {
  const isNew = unseen(MOST_KNOWN);
  const fresh = (found: readonly T[]): T[] => found.filter((item) => isNew(keyOf(item)));
  show(first, fresh(items(first)), { requestId: newRequestId(), tookMs: 0 });
  for (let completeMs = performance.now(); ;) {
    await sleep(FOLLOW_MS);
    const startedMs = performance.now();
    const next = await read(startedMs - completeMs + OVERLAP_MS);
    if (next.nodes.every(({ problem }) => problem === '')) completeMs = startedMs;
    const found = fresh(items(next));
    const tookMs = performance.now() - startedMs;
    if (found.length > 0) show(next, found, { requestId: newRequestId(), tookMs });
  }
}

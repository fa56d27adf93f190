import { applying } from './apply.ts';
import { alertTimes } from './alert-times.ts';
import { baseKeeper } from './bases.ts';
import { carpReader } from './carp-reader.ts';
import { demotionWatch } from './demotion-watch.ts';
import { lateness } from './lateness.ts';
import type { LoopOptions } from './ports.ts';
import { past } from './own-history.ts';
import { ownReport } from './own-report.ts';
import { views } from './view.ts';

/** What the loop works with: its eyes, its hands, and what it keeps of the rounds before. */
export function loopParts(options: LoopOptions) {
  const { clock, carp, log, bell } = options;
  const hasEvents = (): boolean => options.carpEvents() === 'events';
  const source = carpReader({ carp, clock, log, pollMs: options.pollMs, hasEvents });
  /** CARP may have changed: read it again, then decide. */
  const carpChanged = (): void => {
    source.forget();
    bell.ring();
  };
  const own = ownReport(options);
  const late = lateness(options.timing, own.rejoin);
  const hands = applying({ ...options, acted: carpChanged });
  const view = views(options, {
    reading: source.reading,
    received: source.received,
    fenceMine: hands.fenceMine,
    lateAtMs: late.lateAtMs,
  });
  return {
    source,
    carpChanged,
    own,
    late,
    hands,
    view,
    bases: baseKeeper(options),
    demotion: demotionWatch(options.policy),
    alerts: alertTimes(),
    owners: past(options.durable),
  };
}

export type LoopParts = ReturnType<typeof loopParts>;

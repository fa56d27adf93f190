import { eventsBetween, movesBetween, steadyAlerts } from '../core/events/event-changes.ts';
import type { Sight, Standing } from '../core/events/event-changes.ts';
import { wishEvents } from '../core/events/event-wishes.ts';
import type { Alert } from '../core/answers.ts';
import type { OwnerChange } from '../core/history.ts';
import type { Intent } from '../core/model.ts';
import { unseen } from '../core/events/unseen.ts';
import type { Clock } from '../sys/clock.ts';
import type { EventRecord } from './record.ts';

/** After a start that is not joined so long, what is seen is told as it is, ms. */
const SETTLE_MS = 5000;
/** So many acts are told apart: what is said again with the same request id is told once. */
const MOST_ACTS = 500;

/** What a node sees now, with all alerts that it knows. */
export type Look = Omit<Sight, 'self' | 'wallMs' | 'alerts'> & {
  readonly alerts: readonly Alert[];
};

/** Makes events of what changes from one round to the next, and of what operators decide here. */
export function watchEvents(options: {
  readonly node: string;
  readonly clock: Clock;
  readonly record: Pick<EventRecord, 'add'>;
  /** What stood when the agent before this one ended, and what had come here. */
  readonly standing: readonly Standing[];
  readonly moves: readonly OwnerChange[];
  /** Other alerts stand now: for the disk. */
  readonly keep: (standing: readonly Standing[]) => void;
}) {
  const { node, clock, record, keep } = options;
  const startedMs = clock.nowMs();
  const isNew = unseen(MOST_ACTS);
  const steady = steadyAlerts(node, options.standing);
  let { standing: alerts, moves } = options;
  let before: Sight | null = null;

  return {
    /**
     * A round is over. Until this agent has met its peers, or for 5 s, only moves are told: it has
     * not looked at everything yet, and an alert of before its start may still stand.
     */
    look(seen: Look): void {
      const wallMs = clock.wallMs();
      const settled =
        before !== null || seen.report?.joined === true || clock.nowMs() - startedMs >= SETTLE_MS;
      if (!settled) {
        record.add(movesBetween(moves, seen.moves));
        ({ moves } = seen);
        return;
      }
      const stands = steady.look(seen.alerts, wallMs, clock.nowMs());
      const now: Sight = { ...seen, self: node, wallMs, alerts: stands };
      record.add(eventsBetween(before ?? { ...now, peers: [], report: null, alerts, moves }, now));
      if (stands !== alerts) keep(stands);
      alerts = stands;
      before = now;
    },
    /** Decisions that are new here and were made on this node: each is told by one node only. */
    decided(taken: readonly Intent[]): void {
      const own = taken.filter(({ stamp }) => stamp.node === node);
      for (const one of wishEvents(own)) {
        const { requestId, kind, subject } = one;
        if (requestId === undefined || isNew(`${requestId} ${kind} ${subject}`)) record.add([one]);
      }
    },
  };
}

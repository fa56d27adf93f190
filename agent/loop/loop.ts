import type { Decision } from '../core/decide/decision.ts';
import type { View } from '../core/decide/view.ts';
import type { NodeView } from '../core/model.ts';
import { loopParts } from './parts.ts';
import type { LoopOptions } from './ports.ts';
import { rounds } from './round.ts';
import { schedule } from './schedule.ts';

/**
 * The one writer of this host: observes, decides, tells the peers, acts, and
 * reads again. Events only wake it. What the latest round left is what everyone
 * else reads.
 */
export function loop(options: LoopOptions) {
  const { clock, log, bell } = options;
  const parts = loopParts(options);
  const { source, carpChanged, own, late, hands, view, alerts, owners } = parts;
  const { round, decision, viewAt } = rounds(options, parts);
  const times = schedule({
    clock,
    pollMs: options.pollMs,
    round,
    dueAtMs: (nowMs) => [
      source.dueAtMs(),
      decision()?.wakeAtMs ?? Infinity,
      hands.retryAtMs(nowMs),
      own.joinsAtMs(nowMs),
    ],
    fired(dueAtMs, nowMs) {
      late.fired(dueAtMs, nowMs);
      // A machine that stood still gets no event of what it missed.
      if (nowMs - dueAtMs >= options.pollMs) source.forget();
    },
    onError: (cause) => log.problem({ subject: 'loop', cause }),
  });
  bell.listen(times.wake);

  return {
    /** Something may have changed: decide again soon. */
    wake: bell.ring,
    carpChanged,
    /** This host is being shut down: give every address to others. Dies with the process. */
    leave(): void {
      own.leave();
      bell.ring();
    },
    report: own.latest,
    decision: (): Decision | null => decision(),
    alerts: alerts.list,
    /** How addresses came to this node, the newest last. */
    history: owners.list,
    /** Every peer as it is known now, with what echo says of it. */
    peers: (): NodeView[] => view.peers(clock.nowMs()),
    /** The view the latest decision was made from, rebuilt now; null before the first round. */
    view: (): View | null => viewAt(clock.nowMs()),
    /** Called after every round; the returned function ends that. */
    onRound: (listener: () => void): (() => void) => times.onRound(listener),
    /** Called whenever a timer of the loop fired, with how late it was, ms. */
    onLate: late.onLate,
    async stop(): Promise<void> {
      await times.stop();
      await hands.stop();
    },
  };
}

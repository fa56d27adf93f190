import { decide } from '../core/decide/decide.ts';
import type { Decision } from '../core/decide/decision.ts';
import { NO_MEMORY, type Memory } from '../core/decide/memory.ts';
import type { NodeView } from '../core/model.ts';
import type { View } from '../core/decide/view.ts';
import { logDecision } from './log.ts';
import type { LoopOptions } from './ports.ts';
import { movesFrom } from './move-times.ts';
import { substance, withVerdicts } from './own-report.ts';
import { loopParts } from './parts.ts';
import { schedule } from './schedule.ts';

/**
 * The one writer of this host: observes, decides, tells the peers, acts, and
 * reads again. Events only wake it. What the latest round left is what everyone
 * else reads.
 */
export function loop(options: LoopOptions) {
  const { clock, gossip, log, prober, save, bell, observes = false } = options;
  const policyOf = options.decide ?? decide;
  let memory: Memory = { ...NO_MEMORY, moves: movesFrom(options.durable.moves, clock) };
  let decision: Decision | null = null;
  const parts = loopParts(options);
  const { source, carpChanged, own, late, hands, view, bases, demotion, alerts, owners } = parts;
  const rounds = schedule({
    clock,
    pollMs: options.pollMs,
    round,
    dueAtMs: (nowMs) => [
      source.dueAtMs(),
      decision?.wakeAtMs ?? Infinity,
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
  bell.listen(rounds.wake);

  async function round(): Promise<void> {
    await source.refresh(memory.lost !== null);
    const reading = source.reading();
    if (reading !== null) await bases.learn(reading, own.latest(), gossip.peers(clock.nowMs()));
    const nowMs = clock.nowMs();
    const peers = view.peers(nowMs);
    const readings = {
      carp: reading,
      carpAtMs: source.atMs(),
      bases: bases.known(),
      fenceMine: hands.fenceMine(),
      problems: [source.problem(), hands.problem(), demotion.problem(reading, nowMs)],
    };
    const draft = own.draft(readings, peers, nowMs);
    const text = substance(draft, nowMs);
    const before = { decision, memory };
    const shown = own.asSeen(draft, decision, text, nowMs);
    decision = policyOf(view.of(shown, peers, nowMs), memory, nowMs);
    ({ memory } = decision);
    alerts.note(decision.alerts, nowMs);
    own.tell(withVerdicts(draft, decision, nowMs), text, reading?.interfaces ?? []);
    const heard = peers.flatMap(({ report }) => (report === null ? [] : [report]));
    prober.aim(heard, draft);
    logDecision(log, before.decision, decision);
    const came = owners.note(decision, draft, peers, clock.wallMs());
    // Nothing rests on it: a slow disk must not keep an address waiting.
    if (came !== null) save(came).catch(() => undefined);
    await hands.keep(before.memory, memory, source.reading()?.allow ?? null);
    const mayAct = !observes && hands.retryAtMs(nowMs) === Infinity;
    if (decision.actions.length > 0 && mayAct) await hands.act(decision.actions);
  }

  function shownNow(nowMs: number): View | null {
    const report = own.latest();
    if (report === null) return null;
    const shown = own.asSeen(report, decision, substance(report, nowMs), nowMs);
    return view.of(shown, view.peers(nowMs), nowMs);
  }

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
    decision: (): Decision | null => decision,
    alerts: alerts.list,
    /** How addresses came to this node, the newest last. */
    history: owners.list,
    /** Every peer as it is known now, with what echo says of it. */
    peers: (): NodeView[] => view.peers(clock.nowMs()),
    /** The view the latest decision was made from, rebuilt now; null before the first round. */
    view: (): View | null => shownNow(clock.nowMs()),
    /** Called after every round; the returned function ends that. */
    onRound: (listener: () => void): (() => void) => rounds.onRound(listener),
    /** Called whenever a timer of the loop fired, with how late it was, ms. */
    onLate: late.onLate,
    async stop(): Promise<void> {
      await rounds.stop();
      await hands.stop();
    },
  };
}

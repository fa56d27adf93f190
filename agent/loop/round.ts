import { decide } from '../core/decide/decide.ts';
import type { Decision } from '../core/decide/decision.ts';
import { NO_MEMORY, type Memory } from '../core/decide/memory.ts';
import type { View } from '../core/decide/view.ts';
import { logDecision } from './log.ts';
import { movesFrom } from './move-times.ts';
import { substance, withVerdicts } from './own-report.ts';
import type { LoopParts } from './parts.ts';
import type { LoopOptions } from './ports.ts';

/** One time through: observe, decide, tell the peers, act. What is decided is kept for the next. */
export function rounds(options: LoopOptions, parts: LoopParts) {
  const { clock, gossip, log, prober, save, observes = false } = options;
  const { source, own, hands, view, bases, demotion, alerts, owners } = parts;
  const policyOf = options.decide ?? decide;
  let memory: Memory = { ...NO_MEMORY, moves: movesFrom(options.durable.moves, clock) };
  let decision: Decision | null = null;

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

  return {
    round,
    decision: (): Decision | null => decision,
    /** The view the latest decision was made from, as it is at `nowMs`; null before the first round. */
    viewAt: (nowMs: number): View | null => {
      const report = own.latest();
      if (report === null) return null;
      const shown = own.asSeen(report, decision, substance(report, nowMs), nowMs);
      return view.of(shown, view.peers(nowMs), nowMs);
    },
  };
}

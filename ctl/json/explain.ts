import type { ExplainAnswer } from '../../agent/core/answers.ts';

/** The `result` of `explain`. */
export const explainResult = ({ paused, addresses }: ExplainAnswer, nowMs: number): unknown => ({
  paused,
  addresses: addresses.map(({ address, owner, because, reason, flips, absent, standings }) => ({
    address,
    owner,
    because,
    reason,
    flips: flips.map(({ text, owner }) => ({ text, owner })),
    absent,
    nodes: standings.map((standing) => ({
      node: standing.node,
      state: standing.state,
      able: standing.unableBecause === '',
      unable_because: standing.unableBecause === '' ? null : standing.unableBecause,
      health: standing.health,
      health_reason: standing.healthReason,
      health_age_ms: Math.max(0, Math.round(nowMs - standing.healthSinceMs)),
      maintenance: standing.maintenance,
      pinned: standing.pinned,
      ripe: standing.ripe,
      base_advskew: standing.advskew,
    })),
  })),
});

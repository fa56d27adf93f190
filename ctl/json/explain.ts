import type { ExplainAnswer, Explained, Standing } from '../../agent/core/answers.ts';

interface StandingJson {
  readonly node: string;
  readonly state: string;
  readonly able: boolean;
  readonly unable_because: string | null;
  readonly health: string;
  readonly health_reason: string;
  readonly health_age_ms: number;
  readonly maintenance: boolean;
  readonly pinned: boolean;
  readonly ripe: boolean;
  readonly base_advskew: number;
}

interface ExplainedJson {
  readonly address: string;
  readonly owner: string | null;
  readonly because: string;
  readonly reason: string;
  readonly flips: readonly { readonly text: string; readonly owner: string | null }[];
  readonly absent: readonly string[];
  readonly nodes: readonly StandingJson[];
}

/** The `result` of `explain`. */
export interface ExplainJson {
  readonly paused: boolean;
  readonly addresses: readonly ExplainedJson[];
}

/** `nowMs` is of the clock the answer was converted with. */
export const explainResult = (
  { paused, addresses }: ExplainAnswer,
  nowMs: number,
): ExplainJson => ({
  paused,
  addresses: addresses.map((one) => explainedJson(one, nowMs)),
});

const explainedJson = (one: Explained, nowMs: number): ExplainedJson => ({
  address: one.address,
  owner: one.owner,
  because: one.because,
  reason: one.reason,
  flips: one.flips.map(({ text, owner }) => ({ text, owner })),
  absent: one.absent,
  nodes: one.standings.map((standing) => standingJson(standing, nowMs)),
});

const standingJson = (standing: Standing, nowMs: number): StandingJson => ({
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
});

import type { LastDrill } from '../../agent/core/drill.ts';
import { INTERVAL_MS } from '../drill/gaps.ts';
import type { DrillReport } from '../drill/report.ts';
import { historyResult, type HistoryJson } from './history.ts';
import { moveResult, type MoveJson } from './moves.ts';
import { time, timeOrNull } from './wish.ts';

/** The `result` of `drill`. */
export interface DrillJson {
  readonly kind: string;
  readonly node: string;
  readonly means: string | null;
  readonly state: string;
  readonly started: string;
  readonly took_ms: number;
  readonly stay_ms: number;
  readonly max_outage_ms: number;
  readonly clients: {
    readonly targets: readonly string[];
    readonly interval_ms: number;
    readonly sent: number;
    readonly lost: number;
    readonly dark_ms_max: number;
    readonly gaps: readonly {
      readonly target: string;
      readonly at_ms: number;
      readonly ms: number;
    }[];
  };
  readonly steps: readonly {
    readonly step: string;
    readonly text: string;
    readonly at_ms: number;
  }[];
  readonly addresses: MoveJson['addresses'];
  readonly history: HistoryJson['changes'] | null;
}

/** Everything that the screen says, and more. */
export const drillResult = (report: DrillReport): DrillJson => {
  const { act, plan, clients, history } = report;
  return {
    kind: act.kind,
    node: plan.node,
    means: plan.means,
    state: report.state,
    started: time(report.startedWallMs),
    took_ms: Math.round(report.tookMs),
    stay_ms: act.stayMs,
    max_outage_ms: act.maxOutageMs,
    clients: {
      targets: clients.targets,
      interval_ms: INTERVAL_MS,
      sent: clients.sent,
      lost: clients.lost,
      dark_ms_max: clients.darkMs,
      gaps: clients.gaps.map(({ target, atMs, ms }) => ({ target, at_ms: atMs, ms })),
    },
    steps: report.steps.map(({ step, text, atMs }) => ({ step, text, at_ms: Math.round(atMs) })),
    addresses: moveResult(report.result).addresses,
    history:
      history === null
        ? null
        : historyResult({ node: plan.node, changes: history, missing: [] }).changes,
  };
};

/** The last drill of a kind, in `status`. */
export interface LastDrillJson {
  readonly kind: string;
  readonly state: string;
  readonly node: string;
  readonly means: string | null;
  readonly started: string;
  readonly ended: string | null;
  readonly max_outage_ms: number;
  readonly dark_ms_max: number | null;
  readonly sent: number | null;
  readonly lost: number | null;
  readonly why: string | null;
  readonly actor: string;
  readonly reason: string;
}

/** As it is on record. */
export const lastDrillJson = (one: LastDrill): LastDrillJson => ({
  kind: one.kind,
  state: one.state,
  node: one.node,
  means: one.means,
  started: time(one.startedWallMs),
  ended: timeOrNull(one.endedWallMs),
  max_outage_ms: one.maxOutageMs,
  dark_ms_max: one.darkMs,
  sent: one.sent,
  lost: one.lost,
  why: one.why === '' ? null : one.why,
  actor: one.actor,
  reason: one.reason,
});

import type { DrillAct, DrillPlan, DrillState } from '../../agent/core/drill.ts';
import type { OwnerChange } from '../../agent/core/history.ts';
import type { ActResult } from '../../agent/core/results.ts';
import type { ClientsSaw } from './probe.ts';

/** One thing that was done, and when. */
export interface DrillStep {
  readonly step: string;
  readonly text: string;
  /** Since the drill began, ms. */
  readonly atMs: number;
}

/** Everything that is known of a drill once it is over. */
export interface DrillReport {
  readonly act: DrillAct;
  readonly plan: DrillPlan;
  readonly state: Exclude<DrillState, 'running'> | 'unknown';
  readonly startedWallMs: number;
  readonly tookMs: number;
  readonly clients: ClientsSaw;
  readonly steps: readonly DrillStep[];
  readonly result: ActResult;
  /** What came to the record of moves meanwhile; null: it could not be read. */
  readonly history: readonly OwnerChange[] | null;
}

/** The changes that were not there before, the newest last. */
export function newChanges(
  before: readonly OwnerChange[],
  after: readonly OwnerChange[],
): OwnerChange[] {
  const known = new Set(before.map(nameOf));
  return after.filter((one) => !known.has(nameOf(one)));
}

const nameOf = ({ address, to, atWallMs }: OwnerChange): string => `${address} ${to} ${atWallMs}`;

import type { ActResult } from '../../agent/core/results.ts';
import { moveResult, type MoveJson } from './moves.ts';

/** The `result` of `pause` and `resume`. */
export interface AutomationJson extends MoveJson {
  readonly paused: boolean;
}

/** Whether moves that nobody asks for are off now; of a dry run what would move. */
export const automationResult = (
  paused: boolean,
  result: Pick<ActResult, 'addresses'>,
): AutomationJson => ({ paused, ...moveResult(result) });

import type { Decision } from '../core/decide/decision.ts';
import type { NodeReport } from '../core/model.ts';

/** The loop's own events, one line each in the log. */
export interface LoopLog {
  carpChanged(fields: Record<string, unknown>): void;
  decided(fields: Record<string, unknown>): void;
  actionFailed(fields: Record<string, unknown>): void;
  problem(fields: Record<string, unknown>): void;
}

/** Every address whose CARP state changed since the report before. */
export function logChanges(log: LoopLog, before: NodeReport, after: NodeReport): void {
  for (const now of after.addresses) {
    const then = before.addresses.find(({ address }) => address === now.address);
    if (then === undefined || then.state === now.state) continue;
    const { address, advskew } = now;
    log.carpChanged({ address, from: then.state, to: now.state, advskew });
  }
}

/** Every address with something to do, or with another reason than before. */
export function logDecision(log: LoopLog, before: Decision | null, now: Decision): void {
  for (const verdict of now.verdicts) {
    const known = before?.verdicts.find(({ address }) => address === verdict.address);
    const actions = now.actions
      .filter((action) => !('address' in action) || action.address === verdict.address)
      .map(({ kind }) => kind);
    if (known?.reason === verdict.reason && actions.length === 0) continue;
    log.decided({ address: verdict.address, actions, reason: verdict.reason });
  }
}

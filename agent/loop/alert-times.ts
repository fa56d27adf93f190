import type { Alert } from '../core/answers.ts';
import type { DecisionAlert } from '../core/decide/decision.ts';

/** Since when each alert of the decisions stands. */
export function alertTimes() {
  let known: readonly Alert[] = [];
  return {
    note(alerts: readonly DecisionAlert[], nowMs: number): void {
      known = alerts.map((alert) => {
        const before = known.find(
          ({ id, subject }) => id === alert.id && subject === alert.subject,
        );
        return { ...alert, sinceMs: before?.sinceMs ?? nowMs };
      });
    },
    list: (): readonly Alert[] => known,
  };
}

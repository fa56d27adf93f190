import type { Noticed } from '../core/alerts/alert.ts';
import type { Decided } from '../core/alerts/status-alerts.ts';

/** Since when each alert of the decisions stands. */
export function alertTimes() {
  let known: readonly Decided[] = [];
  return {
    note(alerts: readonly Noticed[], nowMs: number): void {
      known = alerts.map((alert) => {
        const before = known.find(
          ({ id, subject }) => id === alert.id && subject === alert.subject,
        );
        return { ...alert, sinceMs: before?.sinceMs ?? nowMs };
      });
    },
    list: (): readonly Decided[] => known,
  };
}

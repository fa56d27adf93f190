import type { PairEvent } from '../../agent/core/events/events.ts';
import { duration } from './duration.ts';
import { wrapped } from './wrapped.ts';

/** One event on one line or more: when, where, what kind, and the sentence. */
export function eventScreen(event: PairEvent): string {
  const { time, node, kind, severity, subject, text, alert, lastedMs, until } = event;
  const head = `${time.replace('T', ' ').slice(0, 19)}Z  ${node}  ${kind}`;
  const grave = severity === 'info' ? '' : ` (${severity})`;
  const about = alert === undefined ? '' : `${alert} ${subject}: `;
  const lasted = lastedMs === undefined ? '' : `, after ${duration(lastedMs)}`;
  const end = until === undefined ? '' : `, until ${until.replace('T', ' ').slice(0, 19)}Z`;
  return `${wrapped(`${head}${grave}`, 4)}\n${wrapped(`    ${about}${text}${lasted}${end}`, 4)}\n`;
}

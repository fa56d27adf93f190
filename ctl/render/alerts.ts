import type { Alert } from '../../agent/core/answers.ts';
import type { Moment } from '../json/wish.ts';
import { duration } from './duration.ts';

/** One alert: whom and what it is about, since when, and what to do. Of any length. */
export function alertLine({ id, node, subject, text, remedy, sinceMs }: Alert, at: Moment): string {
  const own = ['problem', 'degraded'].includes(id) || id.startsWith('haproxy-');
  const who = own ? `${node}: ` : '';
  const what = id === 'problem' ? `${subject}: ` : own ? '' : `${subject}: `;
  const since = sinceMs === null ? '' : ` (${duration(Math.max(0, at.nowMs - sinceMs))})`;
  return `alert     ${who}${what}${text}${since}${remedy === '' ? '' : `; ${remedy}`}`;
}

export { duration } from '../../agent/core/duration.ts';

/** "18:00 or ", which goes before the verb that ends a wish; empty: only that verb does. */
export const endOr = (remainingMs: number | undefined, nowWallMs: number): string =>
  remainingMs === undefined ? '' : `${clockTime(nowWallMs + remainingMs, nowWallMs)} or `;

/** A clock time today, else the date too, in local time: when a wish ends. */
export function clockTime(wallMs: number, nowWallMs: number): string {
  const at = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  if (at.toDateString() === new Date(nowWallMs).toDateString()) return time;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}

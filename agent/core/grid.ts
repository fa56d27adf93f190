/** What happens again and again does so at multiples of this: the process wakes once for all of it, ms. */
const GRID_MS = 50;

/** The wait, in ms, for the last moment of the grid within `ms` from `nowMs`; for `ms` of 50 and more. */
export const onGrid = (nowMs: number, ms: number): number =>
  Math.floor((nowMs + ms) / GRID_MS) * GRID_MS - nowMs;

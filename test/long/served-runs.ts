import type { ServedRun } from '../pair/swaps.ts';

/** When a certificate was pushed; Unix ms, from the client's start to its end. */
export interface PushWindow {
  readonly sha1: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** Runs of a certificate before its own push began, or after the end of the next one. */
export const strangers = (
  runs: readonly ServedRun[],
  windows: readonly PushWindow[],
): readonly ServedRun[] =>
  runs.filter(({ sha1, first_ms: first, last_ms: last }) => {
    const at = windows.findIndex((one) => one.sha1 === sha1);
    const next = windows[at + 1]?.endMs ?? Infinity;
    return at < 0 || first < (windows[at]?.startMs ?? 0) || last > next;
  });

/** The longest time in which a client could get the old one here and the new one there, in ms. */
export function longestMix(runs: readonly ServedRun[], windows: readonly PushWindow[]): number {
  const mixes = windows.slice(1).map(({ sha1 }, at) => {
    const old = windows[at]?.sha1;
    const first = Math.min(...runs.filter((one) => one.sha1 === sha1).map((one) => one.first_ms));
    const last = Math.max(...runs.filter((one) => one.sha1 === old).map((one) => one.last_ms));
    return last - first;
  });
  return Math.max(0, ...mixes);
}

import { effectiveAdvskew } from '../core/timing.ts';
import type { NodeReport } from '../core/model.ts';

/** A host that stands back, by 254 or by demotion, sends the fewest; an agent may set that at any time. */
const LOWEST = effectiveAdvskew(254, 0);
/** callout(9) may be late by a sixteenth (kern.timecounter.alloweddeviation=5). */
const LATENESS = 17 / 16;
/** Reading the counters twice. */
const MARGIN_MS = 300;
const LONGEST_MS = 7000;

/**
 * How long to look, ms, so that two adverts leave a MASTER of this host: advbase + advskew/256 s
 * apart (carp(4)), whatever stands back meanwhile and however late its timers are. No longer
 * than 7 s, in which a host with advbase 3 or more may send one.
 */
export function advertWindowMs(report: Pick<NodeReport, 'addresses'> | null): number {
  const advbases = (report?.addresses ?? []).map(({ advbase }) => advbase);
  const intervalMs = (Math.max(1, ...advbases) + LOWEST / 256) * 1000 * LATENESS;
  return Math.min(LONGEST_MS, Math.ceil(2 * intervalMs) + MARGIN_MS);
}

import type { Kill } from './kill-plan.ts';
import type { Struck } from './strike.ts';

/** One kill that fell into a swap, and what came of it. */
export interface Row {
  readonly kill: Kill;
  readonly struck: Struck;
  /** Of all certificates of the swap. */
  readonly end: 'old' | 'new' | 'mixed';
  /** From the victim's start to one fingerprint everywhere. */
  readonly mendedMs: number;
}

export const victimOf = ({ victim }: Kill): string => `${victim.program} of ${victim.part}`;

/** Coordinator's journal, then the other node's. */
export const phasesOf = ({ standing }: Struck): string =>
  standing === null ? 'not struck' : `${standing.coordinator}/${standing.other}`;

export const momentOf = ({ sign: { file, part, nth }, afterMs }: Kill): string =>
  `${file}${nth > 1 ? ` ${nth}` : ''} of ${part} +${afterMs.toFixed(1)} ms`;

/** Lines to read: each kill, how often each phase was hit, and the ends. */
export function killTable(rows: readonly Row[]): string[] {
  const lines = rows.map(({ kill, struck, end, mendedMs }) =>
    [
      victimOf(kill).padEnd(22),
      (kill.coordinator === 0 ? 'asked 1' : 'asked 2').padEnd(8),
      momentOf(kill).padEnd(36),
      phasesOf(struck).padEnd(24),
      `exit ${struck.code}`.padEnd(8),
      end.padEnd(4),
      `${(mendedMs / 1000).toFixed(1)} s`,
    ].join(' '),
  );
  const phases = counted(rows.map(({ struck }) => phasesOf(struck)));
  const ends = counted(rows.map(({ end }) => end));
  const victims = counted(rows.map(({ kill }) => victimOf(kill)));
  return [...lines, '', ...phases, '', ...ends, '', ...victims];
}

const counted = (words: readonly string[]): string[] => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([word, count]) => `${count} x ${word}`);
};

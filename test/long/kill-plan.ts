import { chanceOf } from './chance.ts';

/** The two nodes of a swap: the one whose agent carries it out, and the other. */
export type Part = 'coordinator' | 'other';

export interface Victim {
  readonly part: Part;
  readonly program: 'agent' | 'haproxy';
}

/** Everybody who can be killed in a swap. */
export const VICTIMS: readonly Victim[] = [
  { part: 'coordinator', program: 'agent' },
  { part: 'other', program: 'haproxy' },
  { part: 'other', program: 'agent' },
  { part: 'coordinator', program: 'haproxy' },
];

/** What shows from outside that a swap has come so far: files that appear on a node. */
export interface Sign {
  /** Its journal is in place for the nth time, its certificate file is, its journal is closed. */
  readonly file: 'journal' | 'certificate' | 'closed';
  /** `first`: on whichever node is the first. */
  readonly part: Part | 'first';
  readonly nth: number;
}

/** One kill in one swap. */
export interface Kill {
  readonly victim: Victim;
  /** Place of the node that is asked: 0 is the MASTER unless it has moved, and commits last. */
  readonly coordinator: 0 | 1;
  readonly sign: Sign;
  readonly afterMs: number;
  readonly signal: NodeJS.Signals;
  /** Started again while the swap may go on, or after the operator has the answer. */
  readonly back: 'at once' | 'after the answer';
}

const SIGNS: readonly Sign[] = (['coordinator', 'other'] as const).flatMap((part) => [
  ...[1, 2, 3].map((nth): Sign => ({ file: 'journal', part, nth })),
  { file: 'certificate', part, nth: 1 },
  { file: 'closed', part, nth: 1 },
]);

/** Long enough to reach beyond the step after it. */
const NEAR_MS = 8;

/**
 * The kill of one try: the same for the same seed, try and length. Half of them fall anywhere in a
 * swap, the others close behind one of its steps. `lengthMs`: of a swap, from its first sign to its last.
 */
export function killOf(seed: number, at: number, lengthMs: number): Kill {
  const chance = chanceOf(seed + at * 7919);
  // The first ones of a seed are much alike.
  chance();
  const anywhere = chance() < 0.5;
  const near = SIGNS[Math.floor(chance() * SIGNS.length)];
  return {
    victim: VICTIMS[at % VICTIMS.length] ?? { part: 'other', program: 'agent' },
    coordinator: chance() < 0.5 ? 0 : 1,
    sign: anywhere || near === undefined ? { file: 'journal', part: 'first', nth: 1 } : near,
    afterMs: chance() ** 2 * NEAR_MS + (anywhere ? chance() * lengthMs : 0),
    signal: 'SIGKILL',
    back: chance() < 0.5 ? 'at once' : 'after the answer',
  };
}

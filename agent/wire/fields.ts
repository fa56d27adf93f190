import type { Unknown } from '../core/model.ts';

/** A value from the network that cannot be what it claims; `field` is its path in the message. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly field: string;

  constructor(field: string, problem: string) {
    super(`${field}: ${problem}`);
    this.field = field;
  }
}

/** The largest value of a proto3 uint32. */
const UINT32_MAX = 0xffff_ffff;

/** Whole milliseconds since `sinceMs`, never negative, at most what a uint32 holds (49.7 days). */
export function ageMs(nowMs: number, sinceMs: number): number {
  return uint32(nowMs - sinceMs);
}

/** The nearest value a uint32 field can carry; not-a-number becomes 0. */
export function uint32(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(UINT32_MAX, Math.max(0, Math.round(value)));
}

/** proto3 has no null string: empty stands for it. */
export const orNull = (text: string): string | null => (text === '' ? null : text);

/** A string that must be there. */
export function filled(field: string, text: string): string {
  if (text === '') throw new WireError(field, 'missing');
  return text;
}

/** A submessage that must be there. */
export function present<T>(field: string, value: T | null | undefined): T {
  if (value === null || value === undefined) throw new WireError(field, 'missing');
  return value;
}

/** A number within bounds, both included. */
export function within(field: string, value: number, low: number, high: number): number {
  if (!(value >= low && value <= high))
    throw new WireError(field, `${value} is not within ${low} to ${high}`);
  return value;
}

/** One of a closed list of words, in what somebody asks for: an act is not guessed. */
export function oneOf<const W extends string>(field: string, word: string, words: readonly W[]): W {
  const found = words.find((known) => known === word);
  if (found === undefined)
    throw new WireError(field, word === '' ? 'missing' : `unknown word ${JSON.stringify(word)}`);
  return found;
}

/**
 * An enum of the wire as a list of words: the word of value n stands at n - 1,
 * because 0 is UNSPECIFIED everywhere. In what somebody asks for, where a number
 * beyond it is an error.
 */
export function enumWord<const W extends string>(
  field: string,
  value: number,
  words: readonly W[],
): W {
  const found = value > 0 ? words[value - 1] : undefined;
  if (found === undefined)
    throw new WireError(field, value === 0 ? 'unspecified' : `unknown value ${value}`);
  return found;
}

/**
 * One of a list of words as an older reader has it: what a newer agent says beyond
 * it is unknown, and the rest of the message stays readable.
 */
export const wordOrUnknown = <const W extends string>(
  word: string,
  words: readonly W[],
): W | Unknown => words.find((known) => known === word) ?? 'unknown';

/** The same for an enum of the wire; 0 is unknown too. */
export const enumOrUnknown = <const W extends string>(
  value: number,
  words: readonly W[],
): W | Unknown => (value > 0 ? words[value - 1] : undefined) ?? 'unknown';

/** The wire's number of a word of such a list, 0 for one that is not in it; E is the generated enum, known from where it goes. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- TypeScript's enums cannot be had otherwise
export const enumValue = <const W extends string, E extends number>(
  word: W,
  words: readonly W[],
): E => (words.indexOf(word) + 1) as E;

/** Converts each element, with its place in the error. */
export const each = <A, B>(
  field: string,
  list: readonly A[],
  convert: (item: A, field: string) => B,
): B[] => list.map((item, i) => convert(item, `${field}[${i}]`));

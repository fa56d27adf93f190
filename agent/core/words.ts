/** The word of the list that was probably meant: at most two letters off; null for none. */
export function nearest(word: string, words: readonly string[]): string | null {
  const ranked = words
    .map((candidate) => ({ candidate, off: distance(word, candidate) }))
    .filter(({ candidate, off }) => off <= Math.min(2, Math.floor(candidate.length / 2)))
    .sort((a, b) => a.off - b.off);
  return ranked[0]?.candidate ?? null;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      const change = (row[j] ?? 0) + Number(letter !== other);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** What went wrong, in the words of whoever threw it; never a stack. */
export const sentence = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Where somebody connects from, without the port that their system chose. */
export const withoutPort = (address: string): string => address.replace(/:\d+$/, '');

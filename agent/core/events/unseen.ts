/**
 * Tells whether a key is new: not among the newest `most` that were asked about, of which `known`
 * are the first. Asking makes it known.
 */
export function unseen(most: number, known: Iterable<string> = []): (key: string) => boolean {
  const seen = new Set(known);
  return (key) => {
    if (seen.has(key)) return false;
    seen.add(key);
    for (const oldest of seen) {
      if (seen.size <= most) break;
      seen.delete(oldest);
    }
    return true;
  };
}

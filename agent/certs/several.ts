/** A sync waits for the disk, which does several in one go; more open files would be no quicker. */
const AT_ONCE = 32;

/**
 * Runs all, `atOnce` at a time, and resolves to the results in order. When one fails those beside it
 * are waited for, the rest is not begun, and it rejects with that failure.
 */
export async function several<T, R>(
  items: readonly T[],
  run: (item: T) => Promise<R>,
  atOnce = AT_ONCE,
): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += atOnce)
    for (const one of await Promise.allSettled(items.slice(at, at + atOnce).map(run))) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  return results;
}

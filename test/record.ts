const DEADLINE_MS = 10_000;

/** A list that can be waited on: `until` resolves as soon as an item matches, and rejects after ten seconds. */
export function createRecord<T>() {
  const items: T[] = [];
  let waiting: { matches: (item: T) => boolean; resolve: (item: T) => void }[] = [];
  return {
    items,
    add(item: T): void {
      items.push(item);
      for (const { resolve } of waiting.filter(({ matches }) => matches(item))) resolve(item);
      waiting = waiting.filter(({ matches }) => !matches(item));
    },
    until: (matches: (item: T) => boolean): Promise<T> =>
      new Promise((resolve, reject) => {
        const found = items.find(matches);
        if (found !== undefined) return resolve(found);
        const late = setTimeout(() => {
          reject(
            new Error(`did not come within ${DEADLINE_MS} ms; came: ${JSON.stringify(items)}`),
          );
        }, DEADLINE_MS);
        waiting.push({
          matches,
          resolve: (item) => {
            clearTimeout(late);
            resolve(item);
          },
        });
      }),
  };
}

/** Asks again every few milliseconds until the answer is yes; rejects after ten seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`did not hold within ${DEADLINE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

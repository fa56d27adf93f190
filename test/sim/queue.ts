/** Something that happens at a moment of simulated time. */
export interface Happening {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** What is still to happen, earliest first; of the same moment, first scheduled first. A binary heap. */
export class Queue {
  readonly #heap: Happening[] = [];
  #order = 0;

  add(atMs: number, run: () => void): Happening {
    const added = { atMs, order: this.#order++, run, cancelled: false };
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(added, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = added;
    return added;
  }

  /** The earliest that is due by `untilMs`; null for none. */
  next(untilMs: number): Happening | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) return null;
      this.#removeFirst();
      if (!first.cancelled) return first;
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const first = heap[left];
      if (first === undefined) break;
      const second = heap[left + 1];
      const [child, below] =
        second !== undefined && before(second, first) ? [second, left + 1] : [first, left];
      if (!before(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
  }
}

const before = (a: Happening, b: Happening): boolean =>
  a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;

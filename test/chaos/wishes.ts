/**
 * What operators were told, and so what has to be so: for each wish the value acknowledged last, and
 * those of whom nobody got an answer since everything was looked at: each of them may hold, and may
 * come late.
 */
export class Wishes {
  readonly #acknowledged: Map<string, string>;
  readonly #maybe = new Map<string, Set<string>>();

  constructor(first: ReadonlyMap<string, string>) {
    this.#acknowledged = new Map(first);
  }

  /** What was acknowledged last; undefined for a wish that there is not. */
  value(wish: string): string | undefined {
    return this.#acknowledged.get(wish);
  }

  /** The operator was told that it is done. */
  done(wish: string, value: string): void {
    this.#acknowledged.set(wish, value);
  }

  /** The operator was told something else, or nothing. */
  unclear(wish: string, value: string): void {
    const known = this.#maybe.get(wish) ?? new Set();
    this.#maybe.set(wish, known.add(value));
  }

  /**
   * Holds what every node has against what operators were told, a sentence for each difference.
   * Afterwards what is there counts as acknowledged. `found`: by node, a value for each wish.
   */
  settle(found: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
    const problems: string[] = [];
    for (const [wish, acknowledged] of this.#acknowledged) {
      const maybe = this.#maybe.get(wish) ?? new Set();
      const values = new Map([...found].map(([node, of]) => [node, of.get(wish) ?? 'nothing']));
      const distinct = new Set(values.values());
      const said = [...values].map(([node, value]) => `${node} ${value}`).join(', ');
      if (distinct.size > 1) problems.push(`${wish} is not the same everywhere: ${said}`);
      for (const value of distinct)
        if (value !== acknowledged && !maybe.has(value))
          problems.push(`${wish} is ${value} (${said}): acknowledged was ${acknowledged}`);
      const [value] = distinct;
      if (value !== undefined && distinct.size === 1) this.#acknowledged.set(wish, value);
    }
    this.#maybe.clear();
    return problems;
  }
}

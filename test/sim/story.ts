/** One line of what happened. */
interface Line {
  readonly atMs: number;
  readonly node: string;
  readonly text: string;
}

const KEPT = 20_000;

/** What happened, to be read when something went wrong. */
export class Story {
  readonly #now: () => number;
  #lines: Line[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `node` is empty for what happens to all. */
  say(node: string, text: string): void {
    this.#lines.push({ atMs: this.#now(), node, text });
    if (this.#lines.length > 2 * KEPT) this.#lines = this.#lines.slice(-KEPT);
  }

  /** The last so many lines: seconds since the start, node, what happened. */
  text(last = Infinity): string {
    return this.#lines
      .slice(last === Infinity ? 0 : -last)
      .map(({ atMs, node, text }) => {
        const seconds = (atMs / 1000).toFixed(4).padStart(9);
        return `${seconds}  ${node.padEnd(9)}  ${text}`;
      })
      .join('\n');
  }
}

export interface Turns {
  /** Writes it now, or once what was said before it and is followed by content has ended. */
  add(sequence: number, line: string, content: string | Uint8Array): void;
  /** That request was answered, or is not waited for any more: one that was not written never is. */
  settled(sequence: number): void;
}

/**
 * When each request is written to the helper: nothing while one with content is under way. The
 * helper takes the content with head(1), and that of FreeBSD reads through stdio, which takes from
 * a pipe or socket whatever lies behind it as well: the next requests would be gone.
 */
export function turns(write: (text: string | Uint8Array, sequence: number) => void): Turns {
  let queue: {
    readonly sequence: number;
    readonly text: string | Uint8Array;
    readonly alone: boolean;
  }[] = [];
  let alone: number | null = null;

  function next(): void {
    while (alone === null) {
      const first = queue.shift();
      if (first === undefined) return;
      if (first.alone) alone = first.sequence;
      write(first.text, first.sequence);
    }
  }
  return {
    add(sequence, line, content) {
      const text =
        typeof content === 'string'
          ? `${line}\n${content}`
          : Buffer.concat([Buffer.from(`${line}\n`), content]);
      queue.push({ sequence, text, alone: content.length > 0 });
      next();
    },
    settled(sequence) {
      queue = queue.filter((one) => one.sequence !== sequence);
      if (alone === sequence) alone = null;
      next();
    },
  };
}

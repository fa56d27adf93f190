/** What was opened, ended in reverse order. */
export interface Ends {
  /** `end` is called once, after everything that was opened later has ended. */
  readonly opened: (end: () => unknown) => void;
  /** Resolves when all have ended; one that throws keeps no other from ending. */
  readonly end: () => Promise<void>;
}

/** Collects how to end what a start opens. */
export function ends(): Ends {
  const open: (() => unknown)[] = [];
  return {
    opened: (end) => void open.push(end),
    async end() {
      const failed: unknown[] = [];
      for (let end = open.pop(); end !== undefined; end = open.pop()) {
        try {
          await end();
        } catch (error) {
          failed.push(error);
        }
      }
      if (failed.length > 0) throw failed[0];
    },
  };
}

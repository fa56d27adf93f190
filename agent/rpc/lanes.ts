/** How many calls a lane has: of one caller, waiting or under way; and waiting, whoever they are of. */
export const LANE = { ofOne: 4, waiting: 32 } as const;

interface Waiting {
  readonly caller: string;
  readonly go: () => void;
}

/**
 * Lanes in which calls go one after the other. Whose turn it is goes round among the callers, so
 * that nobody waits for more than one call of each other.
 */
export function lanes() {
  const lanes = new Map<string, { running: string | null; waiting: Waiting[]; last: string[] }>();

  return {
    /** Resolves with the end of the turn once it is this call's; rejects with why it may not wait. */
    take(name: string, caller: string): Promise<() => void> {
      const lane = lanes.get(name) ?? { running: null, waiting: [], last: [] };
      lanes.set(name, lane);
      const own = lane.waiting.filter((one) => one.caller === caller).length;
      if (own + Number(lane.running === caller) >= LANE.ofOne)
        return Promise.reject<() => void>(new Error(`${LANE.ofOne} of this caller wait already`));
      if (lane.waiting.length >= LANE.waiting)
        return Promise.reject<() => void>(new Error(`${LANE.waiting} calls wait already`));

      const end = (): void => {
        lane.last = [...lane.last.filter((one) => one !== lane.running), lane.running ?? ''];
        lane.last.splice(0, lane.last.length - LANE.waiting);
        lane.running = null;
        // Who had a turn longest ago, or never.
        const turn = (one: Waiting): number => lane.last.lastIndexOf(one.caller);
        const [next] = lane.waiting.toSorted((a, b) => turn(a) - turn(b));
        if (next === undefined) return;
        lane.waiting.splice(lane.waiting.indexOf(next), 1);
        lane.running = next.caller;
        next.go();
      };
      return new Promise((resolve) => {
        const go = (): void => resolve(end);
        if (lane.running !== null) lane.waiting.push({ caller, go });
        else {
          lane.running = caller;
          go();
        }
      });
    },
  };
}

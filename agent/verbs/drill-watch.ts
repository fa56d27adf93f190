import type { DrillSeenAct } from '../core/drill.ts';
import { ActFailure, type ActResult } from '../core/results.ts';
import { result, type Pair } from './pair.ts';

/** What whoever watches clients says of a drill that goes on. */
export interface Watched {
  /** Resolves with why, once it is to end. */
  readonly stopped: Promise<string>;
  /** The last word on what clients saw, told once all is put back; null: nobody said within `withinMs`. */
  figures(withinMs: number): Promise<Figures | null>;
  close(): void;
}

export type Figures = Pick<DrillSeenAct, 'sent' | 'lost' | 'darkMs'>;

/** The drills that this agent carries out, and who watches them. */
export function drillWatchers(pair: Pair) {
  const open = new Map<string, { stop: (why: string) => void; tell: (seen: Figures) => void }>();
  return {
    watch(requestId: string): Watched {
      let stop = (_why: string): void => {};
      let tell = (_seen: Figures): void => {};
      const stopped = new Promise<string>((resolve) => (stop = resolve));
      const told = new Promise<Figures>((resolve) => (tell = resolve));
      open.set(requestId, { stop, tell });
      pair.runningDrills.add(requestId);
      return {
        stopped,
        figures: (withinMs) =>
          new Promise((resolve) => {
            const cancel = pair.clock.after(withinMs, () => resolve(null));
            void told.then((seen) => resolve(seen)).finally(cancel);
          }),
        close() {
          open.delete(requestId);
          pair.runningDrills.delete(requestId);
        },
      };
    },
    /** `drillSeen`; throws ActFailure 'not-found' for a drill that does not go on here. */
    seen(act: DrillSeenAct): ActResult {
      const startedAtMs = pair.clock.nowMs();
      const one = open.get(act.drill);
      if (one === undefined)
        throw new ActFailure('not-found', {
          code: 'no_such_drill',
          message: `no drill ${act.drill} goes on at ${pair.node}`,
          remediation: 'proxyctl status has the last drills',
        });
      if (act.stop) one.stop(act.why === '' ? 'whoever watches it has stopped it' : act.why);
      else one.tell(act);
      return result(pair, act.header, startedAtMs, { outcome: 'reached' });
    },
  };
}

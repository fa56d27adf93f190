import type { Progress } from '../../agent/core/results.ts';
import { columns, cutEnd } from './width.ts';
import { progressLine } from './acts.ts';
import type { Streams } from '../streams.ts';

const WIDTH = 20;
/** Without a terminal a wait says how far it is this often, ms. */
const QUIET_MS = 5000;

/** One line with a bar: how much of a wait is over. Never wider than a screen. */
export function barLine({ step, text, part }: Progress): string {
  const { done, of } = part ?? { done: 0, of: 0 };
  const full = of === 0 ? WIDTH : Math.floor((done / of) * WIDTH);
  const line = `${step.padEnd(10)} [${'#'.repeat(full).padEnd(WIDTH, '.')}] ${text}`;
  // One column less: some terminals wrap when the last one is written to.
  return cutEnd(line, columns() - 1);
}

/**
 * Shows progress on standard error: a bar in place on a terminal, else plain
 * lines, of a wait one in five seconds. `end` leaves the last of it standing.
 */
export function progressShown(
  io: Streams,
  nowMs: () => number,
): {
  readonly report: (progress: Progress) => void;
  readonly end: () => void;
} {
  let waiting: Progress | null = null;
  let saidAtMs = -Infinity;
  const end = (): void => {
    if (waiting === null) return;
    io.live?.('');
    io.err(`${progressLine(waiting)}\n`);
    waiting = null;
  };
  return {
    report(progress) {
      if (progress.part === undefined) {
        end();
        io.err(`${progressLine(progress)}\n`);
        return;
      }
      if (io.live !== null) {
        waiting = progress;
        io.live(barLine(progress));
      } else if (nowMs() - saidAtMs >= QUIET_MS) {
        saidAtMs = nowMs();
        waiting = null;
        io.err(`${progressLine(progress)}\n`);
      } else waiting = progress;
    },
    end,
  };
}

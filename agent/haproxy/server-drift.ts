import {
  driftOf,
  withoutServer,
  type FoundDrift,
  type ServerSetting,
} from '../core/servers/drift.ts';
import type { Intents } from '../core/intents.ts';
import type { Drift } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { wishesInForce } from './wishes-in-force.ts';
import type { Clock } from '../sys/clock.ts';

export interface ServerDriftOptions {
  readonly instance: string;
  readonly clock: Clock;
  readonly inForce: Pick<ReturnType<typeof wishesInForce>, 'records' | 'turn' | 'again'>;
  readonly intents: () => Intents;
  readonly pid: () => number | null;
  readonly read: () => Promise<readonly ServerSetting[]>;
  /** Put back what an intent names. */
  readonly restore: boolean;
  readonly onChange: (drift: readonly Drift[], restored: boolean) => void;
}

const LEAST_MS = 1000;
const MOST_MS = 5000;
/** A look may take this share of the time between two: a large HAProxy is looked at less often. */
const SHARE = 0.02;
/** A report carries so many by name. */
const NAMED = 20;

/**
 * Looks again and again whether the servers are as they were told, and there
 * at all, less often while nothing changes. A HAProxy that cannot be read leaves the picture as
 * it was, with the cause.
 */
export function serverDrift(options: ServerDriftOptions) {
  const { clock, inForce } = options;
  let found: readonly FoundDrift[] = [];
  let problem = '';
  let pauseMs = LEAST_MS;
  let closed = false;
  let cancel = clock.after(LEAST_MS, () => void look());

  async function look(): Promise<void> {
    const turn = inForce.turn();
    const pid = options.pid();
    if (pid !== null && turn !== null) {
      const startedMs = clock.nowMs();
      const before = JSON.stringify([found, problem]);
      try {
        const settings = await options.read();
        problem = '';
        // Something was told meanwhile: what was read may be of before.
        if (inForce.turn() === turn && options.pid() === pid) judge(settings, pid);
      } catch (error) {
        problem = sentence(error);
      }
      const changed = JSON.stringify([found, problem]) !== before;
      if (closed) return;
      if (changed) tell();
      const nextMs = changed ? LEAST_MS : Math.min(MOST_MS, pauseMs * 1.5);
      // Waiting for one that does not answer costs nothing, and it may be back in a moment.
      const costMs = problem === '' ? (clock.nowMs() - startedMs) / SHARE : 0;
      pauseMs = Math.max(costMs, nextMs);
    }
    if (!closed) cancel = clock.after(pauseMs, () => void look());
  }

  function judge(settings: readonly ServerSetting[], pid: number): void {
    const { instance } = options;
    const wallMs = clock.wallMs();
    const intents = options.intents();
    const records = inForce.records();
    const input = { settings, intents, records, instance, pid, wallMs };
    found = driftOf(input);
    // Told again they are found to be gone, and that is said.
    const gone = withoutServer(input);
    if (gone.length > 0) inForce.again(gone);
  }

  function tell(): void {
    const wished = found.filter((one) => one.wished).map(({ key }) => key);
    const restored = options.restore && wished.length > 0;
    options.onChange(named(found), restored);
    if (restored) inForce.again(wished);
  }

  return {
    /** For the report: the first of them, how many, and why they are not known. */
    report: () => ({ drift: named(found), drifted: found.length, problem }),
    close(): void {
      closed = true;
      cancel();
    },
  };
}

const named = (found: readonly FoundDrift[]): Drift[] =>
  found.slice(0, NAMED).map(({ key: _key, ...drift }) => drift);

/** An alert of the log: which servers are not as they were told, or that they are again. */
export function driftLine(
  drift: readonly Drift[],
  restored: boolean,
): ['alert', Readonly<Record<string, string>>, string] {
  const state = drift.length === 0 ? 'cleared' : 'raised';
  const why = drift.map((one) => `${one.backend}/${one.server} is ${one.is}`).join(', ');
  const text = restored ? 'servers changed by hand are put back' : 'servers changed by hand';
  return ['alert', { id: 'drift', state, why }, text];
}

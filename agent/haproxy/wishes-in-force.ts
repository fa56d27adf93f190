import { inForce, type Intents } from '../core/intents.ts';
import type { AppliedIntent } from '../core/model.ts';
import { kindOf, planServers, type ServerRecord, type ServerTask } from '../core/servers.ts';
import type { Clock } from '../sys/clock.ts';

export interface WishesInForceOptions {
  readonly instance: string;
  readonly clock: Clock;
  readonly records: readonly ServerRecord[];
  readonly intents: () => Intents;
  /** HAProxy's process now; null while there is none to talk to. */
  readonly pid: () => number | null;
  /** Tells HAProxy and proves by reading again; rejects with the cause. */
  readonly tell: (task: ServerTask) => Promise<void>;
  /** Rejects when the disk refuses, which is for the store to say: what is not stored is told once more after a restart. */
  readonly save: (records: readonly ServerRecord[]) => Promise<void>;
  readonly onChange: () => void;
}

/** A task that failed is tried again after this long, and so soon is a wish's end seen. */
const RETRY_MS = 1000;

/**
 * Keeps what operators wished of servers in force in one HAProxy: tells it new
 * wishes, and all of them again to a new process. One task at a time.
 */
export function wishesInForce(options: WishesInForceOptions) {
  const { clock } = options;
  const records = new Map(options.records.map((record) => [record.key, record]));
  let running = false;
  let woken = false;
  let closed = false;
  let turns = 0;
  let cancel = (): void => {};

  async function carryOut(task: ServerTask, pid: number): Promise<boolean> {
    let trouble = '';
    turns++;
    try {
      // What it should be after a start it is already: its configuration says so.
      await options.tell(task);
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    const { key, stamp, value } = task;
    records.set(key, { key, stamp, state: value, pid, problem: trouble });
    return trouble === '';
  }

  async function run(): Promise<void> {
    running = true;
    try {
      while (woken) {
        woken = false;
        const pid = options.pid();
        if (pid === null) break;
        const wallMs = clock.wallMs();
        const tasks = planServers(options.intents(), records, options.instance, pid, wallMs);
        let failed = false;
        for (const task of tasks) failed = !(await carryOut(task, pid)) || failed;
        if (tasks.length > 0) {
          // It is in force whether the disk knows or not: whoever waits hears of it first.
          options.onChange();
          await options.save([...records.values()]).catch(() => undefined);
        }
        if ((failed || someEnd(options.intents(), wallMs)) && !closed) {
          cancel();
          cancel = clock.after(RETRY_MS, wake);
        }
      }
    } finally {
      running = false;
    }
  }

  function wake(): void {
    if (closed) return;
    woken = true;
    if (!running) void run();
  }

  return {
    /** Wishes or HAProxy may have changed. */
    wake,
    /** For the report: what is in force, or why not. */
    applied: (): AppliedIntent[] =>
      [...records.values()].map(({ key, stamp, problem }) => ({ key, stamp, problem })),
    /** What HAProxy was told, by key. */
    records: (): ReadonlyMap<string, ServerRecord> => records,
    /** Rises with everything that is told; null while something is under way. */
    turn: (): number | null => (running ? null : turns),
    /** These are no longer as they were told: they are told again. */
    again(keys: readonly string[]): void {
      for (const key of keys) records.delete(key);
      wake();
    },
    close(): void {
      closed = true;
      cancel();
    },
  };
}

/** A wish is in force that ends by itself: nobody says so when it does. */
const someEnd = (intents: Intents, wallMs: number): boolean =>
  [...intents.values()].some(
    (intent) =>
      intent.untilWallMs !== null && inForce(intent, wallMs) && kindOf(intent.key) !== null,
  );

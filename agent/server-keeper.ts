import type { AdminState } from './core/acts.ts';
import { inForce, parseServerKey, type Intents } from './core/intents.ts';
import type { AppliedIntent } from './core/model.ts';
import { planServers, type ServerRecord, type ServerTask } from './core/servers.ts';
import type { Clock } from './sys/clock.ts';

export interface KeeperOptions {
  readonly instance: string;
  readonly clock: Clock;
  readonly records: readonly ServerRecord[];
  readonly intents: () => Intents;
  /** HAProxy's process now; null while there is none to talk to. */
  readonly pid: () => number | null;
  /** Tells HAProxy and proves by reading again; rejects with the cause. */
  readonly set: (backend: string, server: string, state: AdminState) => Promise<void>;
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
export function serverKeeper(options: KeeperOptions) {
  const { clock } = options;
  const records = new Map(options.records.map((record) => [record.key, record]));
  let running = false;
  let woken = false;
  let closed = false;
  let cancel = (): void => {};

  async function carryOut(task: ServerTask, pid: number): Promise<boolean> {
    let trouble = '';
    try {
      // What it should be after a start it is already: its configuration says so.
      await options.set(task.backend, task.server, task.state);
    } catch (error) {
      trouble = error instanceof Error ? error.message : String(error);
    }
    const { key, stamp, state } = task;
    records.set(key, { key, stamp, state, pid, problem: trouble });
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
          await options.save([...records.values()]).catch(() => undefined);
          options.onChange();
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
      intent.untilWallMs !== null && inForce(intent, wallMs) && parseServerKey(intent.key) !== null,
  );

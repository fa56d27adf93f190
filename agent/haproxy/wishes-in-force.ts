import { isDeepStrictEqual } from 'node:util';
import { inForce, type Intents } from '../core/intents.ts';
import type { AppliedIntent, LostServer } from '../core/model.ts';
import {
  kindOf,
  planServers,
  UNTOLD,
  type ServerRecord,
  type ServerTask,
} from '../core/servers/servers.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import { retries } from './retries.ts';
import { isGone, type lookAtServer } from './servers.ts';

export interface WishesInForceOptions {
  readonly instance: string;
  readonly clock: Clock;
  readonly records: readonly ServerRecord[];
  readonly intents: () => Intents;
  /** HAProxy's process now; null while there is none to talk to. */
  readonly pid: () => number | null;
  /** Tells HAProxy and proves by reading again; rejects with the cause, `isGone` where it has no such server. */
  readonly tell: (task: ServerTask) => Promise<void>;
  /**
   * Keys of intents that are over and that a process has all the same as it begins: its state file
   * was saved while they were in force. Rejects where that cannot be read.
   */
  readonly broughtBack: () => Promise<readonly string[]>;
  /** Reads how that server is; changes nothing. */
  readonly look: (task: ServerTask) => ReturnType<typeof lookAtServer>;
  /** Rejects when the disk refuses, which is for the store to say: what is not stored is told once more after a restart. */
  readonly save: (records: readonly ServerRecord[]) => Promise<void>;
  readonly onChange: () => void;
  /** A wish has lost its server, or it is there again: once, when that begins. */
  readonly onLost: (key: string, server: LostServer, problem: string) => void;
}

/** So soon is a wish's end seen. */
const ENDS_MS = 1000;
/** What HAProxy refuses is tried again at least so often. */
const REFUSED_MS = 5_000;
/** A server that is gone is looked for so often; a new process of HAProxy is asked at once. */
const GONE_MS = 60_000;

/**
 * Keeps what operators wished of servers in force in one HAProxy: tells it new
 * wishes, and all of them again to a new process. One task at a time. A wish
 * whose server is gone is kept, said and looked for; once the name is used
 * again it is not told by itself, for the machine behind it may be another.
 */
export function wishesInForce(options: WishesInForceOptions) {
  const { clock } = options;
  const records = new Map(options.records.map((record) => [record.key, record]));
  const retry = retries(() => clock.nowMs());
  /** The disk does not have all of `records` yet. */
  let unsaved = false;
  let running = false;
  let woken = false;
  let closed = false;
  let turns = 0;
  /** The process that was told last; null: none since this agent began. */
  let lastPid: number | null = null;
  let cancel = (): void => {};

  /** How HAProxy has it now. */
  async function carryOut(task: ServerTask): Promise<Pick<ServerRecord, 'problem' | 'server'>> {
    const { kind, backend, server, value } = task;
    try {
      if (task.how === 'look') {
        const found = await options.look(task);
        if (found === 'as-wished') return { problem: '' };
        const name = `${backend}/${server}`;
        return found === 'gone'
          ? { problem: `HAProxy has no server ${name}`, server: 'gone' }
          : { problem: `${name} was gone, is there again and was not told`, server: 'back' };
      }
      turns++;
      // What it should be after a start it is already: its configuration says so.
      await options.tell(task);
      return { problem: '' };
    } catch (error) {
      if (!isGone(error)) {
        // It could not be looked for: it is as lost as before.
        const lost = task.how === 'look' ? records.get(task.key)?.server : undefined;
        return { problem: sentence(error), ...(lost === undefined ? {} : { server: lost }) };
      }
      // One that is gone needs no word to be as it is configured.
      if (value === UNTOLD[kind]) return { problem: '' };
      return { problem: sentence(error), server: 'gone' };
    }
  }

  async function carryOutAll(tasks: readonly ServerTask[], pid: number): Promise<void> {
    let changed = false;
    for (const task of tasks) {
      const { key, stamp, value } = task;
      const was = records.get(key);
      const now = await carryOut(task);
      const record = { key, stamp, state: value, pid, ...now };
      records.set(key, record);
      // What failed again as it did before is no news.
      if (!isDeepStrictEqual(record, was)) changed = true;
      if (now.problem === '') retry.done(key);
      else retry.failed(task, pid, now.server === undefined ? REFUSED_MS : GONE_MS);
      if (now.server !== undefined && now.server !== was?.server)
        options.onLost(key, now.server, now.problem);
    }
    // It is in force whether the disk knows or not: whoever waits hears of it first.
    if (changed) options.onChange();
    if (!changed && !unsaved) return;
    unsaved = false;
    await options.save([...records.values()]).catch(() => (unsaved = true));
  }

  /** What a new process has out of its state file is taken back as what is wished is told. */
  async function begun(pid: number): Promise<void> {
    if (pid === lastPid) return;
    try {
      // One that runs already may have been changed by hand since: that is drift.
      const keys = lastPid === null ? [] : await options.broughtBack();
      for (const key of keys) records.delete(key);
      lastPid = pid;
    } catch {
      // It is asked again with the next thing that it is to be told.
    }
  }

  async function run(): Promise<void> {
    running = true;
    try {
      while (woken) {
        woken = false;
        const pid = options.pid();
        if (pid === null) break;
        await begun(pid);
        const planned = plan(pid);
        await carryOutAll(
          planned.filter((task) => retry.isDue(task, pid)),
          pid,
        );
        const endMs = someEnd(options.intents(), clock.wallMs()) ? ENDS_MS : Infinity;
        const pauseMs = Math.min(endMs, retry.nextMs(plan(pid), pid) ?? Infinity);
        cancel();
        if (pauseMs < Infinity && !closed) cancel = clock.after(pauseMs, wake);
      }
    } finally {
      running = false;
    }
  }

  const plan = (pid: number): ServerTask[] =>
    planServers(options.intents(), records, options.instance, pid, clock.wallMs());

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
      [...records.values()].map(({ state: _state, pid: _pid, ...applied }) => applied),
    /** What HAProxy was told, by key. */
    records: (): ReadonlyMap<string, ServerRecord> => records,
    /** Rises with everything that is told; null while something is under way. */
    turn: (): number | null => (running ? null : turns),
    /** These are no longer as they were told: they are told again. */
    again(keys: readonly string[]): void {
      for (const key of keys) if (records.delete(key)) unsaved = true;
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

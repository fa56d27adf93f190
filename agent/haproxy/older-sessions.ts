import type { ServerReading } from '../core/answers.ts';
import type { OlderReport } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Clock } from '../sys/clock.ts';
import { readInfo } from './info.ts';
import type { OlderProcess } from './older.ts';
import { olderOf, type HostProcess } from './process-table.ts';
import type { Runtime } from './runtime.ts';
import { readServers, shutSessions } from './servers.ts';

export interface OlderSessionsOptions {
  readonly clock: Clock;
  /** HAProxy's newest process; null while there is none to talk to. */
  readonly pid: () => number | null;
  /** Older ones that are known by the connection that was held to them. */
  readonly held: () => readonly OlderProcess[];
  /** The process table in which that process of HAProxy is; rejects with the cause. */
  readonly processes: (pid: number) => Promise<readonly HostProcess[]>;
}

/** None, and nothing that is not known. */
export const NO_OLDER: OlderReport = { processes: 0, sessions: 0, uncounted: 0, problem: '' };

/** The process table is read so often for a question of an operator, and for the report. */
const ASKED_MS = 1000;
const REPORTED_MS = 10_000;

interface Table {
  readonly atMs: number;
  readonly of: number;
  readonly pids: readonly number[];
  readonly problem: string;
}

/**
 * What the older processes of this host's HAProxy still serve: those that were replaced by a reload
 * and have sessions left. One that cannot be asked is counted as such, never as idle.
 */
export function olderSessions(options: OlderSessionsOptions) {
  const { clock } = options;
  let table: Table | null = null;

  async function tableOf(of: number, ageMs: number): Promise<Table> {
    const nowMs = clock.nowMs();
    if (table?.of === of && nowMs - table.atMs < ageMs) return table;
    let read: Pick<Table, 'pids' | 'problem'>;
    try {
      read = { pids: olderOf(await options.processes(of), of), problem: '' };
    } catch (error) {
      // Since then older ones may have ended, and none was added: a reload makes another `of`.
      if (table?.of === of && table.problem === '') return table;
      read = { pids: [], problem: `the process table cannot be used: ${sentence(error)}` };
    }
    table = { atMs: nowMs, of, ...read };
    return table;
  }

  /** Those that can be asked, and how many there are besides. */
  async function look(ageMs: number) {
    const pid = options.pid();
    const { pids, problem } = pid === null ? { pids: [], problem: '' } : await tableOf(pid, ageMs);
    const held = options.held().filter((one) => one.pid !== pid);
    const asked = held.flatMap(({ ask }) => (ask === null ? [] : [ask]));
    const mute = new Set([...pids, ...held.map((one) => one.pid)]).size - asked.length;
    return { asked, mute, problem };
  }

  /** The answers of those that gave one, and how many gave none. */
  async function ask<T>(asked: readonly Runtime[], question: (runtime: Runtime) => Promise<T>) {
    const answers = await Promise.allSettled(asked.map(question));
    const given = answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return { given, silent: answers.length - given.length };
  }

  return {
    /** These servers with the sessions that older processes have of them. */
    async added(
      servers: readonly ServerReading[],
      backend: string | null,
    ): Promise<readonly ServerReading[]> {
      const { asked, mute } = await look(ASKED_MS);
      if (asked.length + mute === 0) return servers;
      const { given, silent } = await ask(asked, (runtime) => readServers(runtime, backend));
      const all = new Map<string, { sessions: number; total: number }>();
      for (const { backend: proxy, name, sessions, total } of given.flat()) {
        const before = all.get(`${proxy}/${name}`) ?? { sessions: 0, total: 0 };
        const sum = { sessions: before.sessions + sessions, total: before.total + total };
        all.set(`${proxy}/${name}`, sum);
      }
      return servers.map((one) => {
        const { sessions, total } = all.get(`${one.backend}/${one.name}`) ?? SUM;
        return {
          ...one,
          sessions: one.sessions + sessions,
          total: one.total + total,
          older: sessions,
          uncounted: mute + silent,
        };
      });
    },
    /** Ends the sessions that older processes have of a server, where they can be asked. */
    async shut(backend: string, server: string): Promise<void> {
      const { asked } = await look(ASKED_MS);
      await ask(asked, (runtime) => shutSessions(runtime, backend, server));
    },
    async report(): Promise<OlderReport> {
      const { asked, mute, problem } = await look(REPORTED_MS);
      const { given, silent } = await ask(asked, readInfo);
      const sessions = given.reduce((sum, info) => sum + info.sessions, 0);
      return { processes: asked.length + mute, sessions, uncounted: mute + silent, problem };
    },
  };
}

const SUM = { sessions: 0, total: 0 };

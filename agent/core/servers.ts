import type { AdminState } from './acts.ts';
import {
  compareStamps,
  inForce,
  parseServerKey,
  type Intents,
  type ServerTarget,
} from './intents.ts';
import type { Stamp } from './model.ts';

/** What was last told to HAProxy for one intent; stored, so that a restart knows. */
export interface ServerRecord {
  readonly key: string;
  readonly stamp: Stamp;
  readonly state: AdminState;
  /** HAProxy's process at that time: a new one starts from its configuration. */
  readonly pid: number;
  /** Empty: in force, read back. */
  readonly problem: string;
}

export interface ServerTask extends ServerTarget {
  readonly key: string;
  readonly stamp: Stamp;
  readonly state: AdminState;
}

/**
 * What one HAProxy process still has to be told, in order of key: wishes that
 * are new, ended or meet a new process. A state changed by hand afterwards is
 * drift: it is reported, not undone. A new process needs no word about servers
 * that should be ready.
 */
export function planServers(
  intents: Intents,
  records: ReadonlyMap<string, ServerRecord>,
  instance: string,
  pid: number,
  wallMs: number,
): ServerTask[] {
  const tasks: ServerTask[] = [];
  for (const intent of intents.values()) {
    const target = parseServerKey(intent.key);
    if (target === null || target.instance !== instance) continue;
    const state = inForce(intent, wallMs) ? adminState(intent.value) : 'ready';
    const record = records.get(intent.key);
    const sameProcess = record !== undefined && record.pid === pid;
    const sameWish = record !== undefined && compareStamps(record.stamp, intent.stamp) === 0;
    const done = sameProcess && sameWish && record.state === state && record.problem === '';
    const nothingToSay = state === 'ready' && sameWish && record.state === 'ready';
    if (!done && !nothingToSay) {
      tasks.push({ ...target, key: intent.key, stamp: intent.stamp, state });
    }
  }
  return tasks.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const adminState = (value: string): AdminState =>
  value === 'drain' || value === 'maint' ? value : 'ready';

import {
  compareStamps,
  inForce,
  parseServerKey,
  parseWeightKey,
  type Intents,
  type ServerTarget,
} from '../intents.ts';
import type { Intent, LostServer, Stamp } from '../model.ts';

/** What was last told to HAProxy for one intent; stored, so that a restart knows. */
export interface ServerRecord {
  readonly key: string;
  readonly stamp: Stamp;
  /** An admin state, or a weight. */
  readonly state: string;
  /** HAProxy's process at that time: a new one starts from its configuration. */
  readonly pid: number;
  /** Empty: in force, read back. */
  readonly problem: string;
  /** Absent: HAProxy has that server, or nothing is wished of it. */
  readonly server?: LostServer;
}

export interface ServerTask extends ServerTarget {
  readonly key: string;
  readonly stamp: Stamp;
  readonly kind: 'state' | 'weight';
  /** An admin state, or a weight as HAProxy takes it. */
  readonly value: string;
  /** `look`: its server was gone, and is only looked for: it is told once somebody says it again. */
  readonly how: 'tell' | 'look';
}

/** What a server is after a start, where its configuration says nothing else. */
export const UNTOLD = { state: 'ready', weight: '100%' } as const;

/**
 * What one HAProxy process still has to be told, in order of key: wishes that
 * are new, ended or meet a new process. A state changed by hand afterwards is
 * drift: drift.ts finds it. A new process needs no word about servers that
 * should be as their configuration has them; where that was said and not done, it is said again. A
 * server that was gone is not told a wish of before when its name is used again: the machine behind
 * it may be another.
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
    const kind = kindOf(intent.key);
    const target = kind === null ? null : targetOf(intent.key);
    if (kind === null || target === null || target.instance !== instance) continue;
    const value = valueOf(intent, kind, wallMs);
    const record = records.get(intent.key);
    const sameProcess = record !== undefined && record.pid === pid;
    const sameWish = record !== undefined && compareStamps(record.stamp, intent.stamp) === 0;
    const done = sameProcess && sameWish && record.state === value && record.problem === '';
    const asStarted = value === UNTOLD[kind];
    const nothingToSay = asStarted && sameWish && record.state === value && record.problem === '';
    if (done || nothingToSay) continue;
    const lost = sameWish && record.server !== undefined && record.state === value;
    const how = lost ? 'look' : 'tell';
    tasks.push({ ...target, key: intent.key, stamp: intent.stamp, kind, value, how });
  }
  return tasks.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What kind of wish a key names; null for one that is not about a server. */
export function kindOf(key: string): ServerTask['kind'] | null {
  if (key.startsWith('server/')) return 'state';
  return key.startsWith('weight/') ? 'weight' : null;
}

/** The server a key names, whichever kind of wish it is; null for any other key. */
export const targetOf = (key: string): ServerTarget | null =>
  parseServerKey(key) ?? parseWeightKey(key);

/** What HAProxy should have because of this intent now. */
function valueOf(intent: Intent, kind: ServerTask['kind'], wallMs: number): string {
  if (!inForce(intent, wallMs)) return UNTOLD[kind];
  const { value } = intent;
  if (kind === 'weight') return isWeight(value) ? value : UNTOLD.weight;
  return value === 'drain' || value === 'maint' ? value : UNTOLD.state;
}

/** HAProxy takes an absolute weight up to 256, and a share of the configured one. */
export function isWeight(text: string): boolean {
  const [, digits = '', percent] = /^(\d{1,4})(%?)$/.exec(text) ?? [];
  return digits !== '' && Number(digits) <= (percent === '%' ? 1000 : 256);
}

/** What HAProxy makes of a weight: server_parse_weight_change_request() in src/server.c. */
export function expectedWeight(weight: string, initial: number): number {
  if (!weight.endsWith('%')) return Number(weight);
  return Math.min(256, Math.floor((initial * Number(weight.slice(0, -1))) / 100));
}

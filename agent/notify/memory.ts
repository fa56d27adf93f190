import { readFile } from 'node:fs/promises';
import { eventLine, eventOf } from '../core/events/event-lines.ts';
import type { PairEvent } from '../core/events/events.ts';
import { objectIn } from '../core/lines.ts';
import type { Open } from '../core/notify/notify.ts';
import { isSystemError, replaceFile } from '../sys/files.ts';

/** An event that somebody may have to be told. */
export interface Pending {
  readonly event: PairEvent;
  /** When this node came to know it, Unix ms. */
  readonly sinceWallMs: number;
  /** Targets that have been told, or that it is not for. */
  readonly settled: readonly string[];
}

/** What of notifications survives a restart. */
export interface NotifyMemory {
  /** The oldest first. */
  readonly queue: readonly Pending[];
  readonly open: ReadonlyMap<string, Open>;
  /** TARGET ID of what this node has settled, the newest last. */
  readonly told: readonly string[];
  /** Dropped since the last message that said so. */
  readonly dropped: number;
}

export const NOTHING_PENDING: NotifyMemory = { queue: [], open: new Map(), told: [], dropped: 0 };

/** So many events wait. */
const MOST_QUEUED = 500;

/** Of too many the oldest that are only informational go first. */
export function bounded(queue: readonly Pending[]): readonly Pending[] {
  let over = queue.length - MOST_QUEUED;
  if (over <= 0) return queue;
  const kept = queue.filter(({ event: { kind, severity } }) => {
    const goes = over > 0 && severity === 'info' && kind !== 'alert-cleared';
    if (goes) over -= 1;
    return !goes;
  });
  return kept.slice(-MOST_QUEUED);
}

/** The text of the file. */
export const memoryText = ({ queue, open, told, dropped }: NotifyMemory): string =>
  `${JSON.stringify({
    queue: queue.map(({ event, ...rest }) => ({ ...rest, line: eventLine(event) })),
    open: [...open].map(([target, keys]) => ({ target, keys: [...keys] })),
    told,
    dropped,
  })}\n`;

/** What such a text holds; what is not understood of it is left out. */
export function memoryOf(text: string): NotifyMemory {
  const read = objectIn(text) ?? {};
  return {
    queue: list(read['queue']).flatMap((one) => {
      const event = eventOf(word(record(one)['line']));
      const since = record(one)['sinceWallMs'];
      const settled = list(record(one)['settled']).map(word);
      return event === null || typeof since !== 'number'
        ? []
        : [{ event, sinceWallMs: since, settled }];
    }),
    open: new Map(
      list(read['open']).map((one) => [
        word(record(one)['target']),
        new Map(
          list(record(one)['keys']).map((pair) => [
            word(list(pair)[0]),
            list(list(pair)[1]).map(word),
          ]),
        ),
      ]),
    ),
    told: list(read['told']).map(word),
    dropped: typeof read['dropped'] === 'number' ? read['dropped'] : 0,
  };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const word = (value: unknown): string => (typeof value === 'string' ? value : '');
const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** What the file at `path` holds; nothing where there is none. Rejects with the system's error. */
export async function loadMemory(path: string): Promise<NotifyMemory> {
  try {
    return memoryOf(await readFile(path, 'utf8'));
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return NOTHING_PENDING;
    throw error;
  }
}

/** Writes the newest of what it is given, one writing at a time; `failed` hears why one failed, or null. */
export function memoryFile(path: string, failed: (error: unknown) => void) {
  let next: NotifyMemory | null = null;
  let writing: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    while (next !== null) {
      const text = memoryText(next);
      next = null;
      try {
        await replaceFile(path, text, 0o600);
        failed(null);
      } catch (error) {
        failed(error);
      }
    }
    writing = null;
  };
  return (memory: NotifyMemory): Promise<void> => {
    next = memory;
    writing ??= write();
    return writing;
  };
}

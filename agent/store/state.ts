import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Standing } from '../core/events/event-changes.ts';
import { CAUSES, type OwnerChange } from '../core/history.ts';
import type { Intent } from '../core/model.ts';
import type { ServerRecord } from '../core/servers/servers.ts';
import { sentence } from '../core/words.ts';
import { systemDisk, type Disk } from './disk.ts';

/** What of one node survives a restart. */
export interface State {
  /** New at every start of the agent, never lower than before. */
  readonly epoch: number;
  /** Base advskew by address. */
  readonly bases: Readonly<Record<string, number>>;
  readonly intents: readonly Intent[];
  /** What HAProxy was last told for each server intent. */
  readonly servers: readonly ServerRecord[];
  /** Failbacks and moves for degraded health by address, Unix ms: the budget. */
  readonly moves: Readonly<Record<string, readonly number[]>>;
  /** How addresses came to this node: the newest last. */
  readonly history: readonly OwnerChange[];
  /** The addresses it had when that was last written. */
  readonly held: readonly string[];
  /** Alerts that this node noticed and that stood when that was last written. */
  readonly standing: readonly Standing[];
  /** net.inet.carp.allow=0 here is this agent's own. */
  readonly fenceMine: boolean;
}

/** Rises with every change an older agent cannot read. */
const VERSION = 1;

const stamp = v.strictObject({ wallMs: v.number(), count: v.number(), node: v.string() });
const schema = v.object({
  epoch: v.pipe(v.number(), v.integer(), v.minValue(0)),
  bases: v.record(v.string(), v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(254))),
  intents: v.array(
    v.object({
      key: v.string(),
      value: v.string(),
      deleted: v.boolean(),
      stamp,
      actor: v.string(),
      reason: v.string(),
      requestId: v.string(),
      untilWallMs: v.nullable(v.number()),
    }),
  ),
  servers: v.array(
    v.object({
      key: v.string(),
      stamp,
      state: v.string(),
      pid: v.number(),
      problem: v.string(),
      server: v.exactOptional(v.picklist(['gone', 'back'])),
    }),
  ),
  moves: v.optional(v.record(v.string(), v.array(v.number())), {}),
  history: v.optional(
    v.array(
      v.object({
        address: v.string(),
        from: v.nullable(v.string()),
        to: v.string(),
        cause: v.picklist(CAUSES),
        reason: v.string(),
        atWallMs: v.number(),
      }),
    ),
    [],
  ),
  held: v.optional(v.array(v.string()), []),
  standing: v.optional(
    v.array(
      v.object({
        id: v.string(),
        subject: v.string(),
        severity: v.picklist(['fail', 'warn', 'unknown']),
        text: v.string(),
        remedy: v.optional(v.string(), ''),
        sinceWallMs: v.number(),
      }),
    ),
    [],
  ),
  fenceMine: v.optional(v.boolean(), false),
});

const EMPTY: State = {
  epoch: 0,
  bases: {},
  intents: [],
  servers: [],
  moves: {},
  history: [],
  held: [],
  standing: [],
  fenceMine: false,
};

/** A state file that could not be used: where it was put, and why. */
interface Aside {
  readonly cause: string;
  readonly remedy: string;
}

export interface Store {
  /** As stored, with this start's epoch. */
  readonly state: State;
  readonly problems: readonly Aside[];
  /** Durable once it resolves; rejects when the disk refuses, and the old file stays. */
  save(change: Partial<Omit<State, 'epoch'>>): Promise<void>;
}

/**
 * Opens DIR/state.json, or its predecessor state.json.1 where that is damaged,
 * and stores the next epoch: higher than the stored one, and than those that
 * were lost as long as the wall clock (Unix ms) is right, for peers take a
 * lower one for the past. A file that is damaged or from a newer agent is
 * kept aside under another name; a state that is lost is said, never silent.
 * Rejects with a sentence when the directory cannot be used.
 */
export async function openStore(
  directory: string,
  wallMs: number,
  disk: Disk = systemDisk,
): Promise<Store> {
  const path = join(directory, 'state.json');
  const previous = `${path}.1`;
  await disk.makeDirectory(directory);
  const problems: Aside[] = [];
  let state = await load(disk, path, problems);
  let lag = 0;
  if (state === null && (await exists(disk, path))) await setAside(disk, path, problems);
  if (state === null) {
    state = await load(disk, previous, problems);
    // The lost file may have been of the start after the one its predecessor tells of.
    lag = state === null ? 0 : 1;
    if (state === null && (await exists(disk, previous))) await setAside(disk, previous, problems);
    if (state === null && problems.length > 0) {
      const cause = 'no usable state file is left: pins and drains stored here alone are gone';
      problems.push({ cause, remedy: 'the peer sends back what it has; check proxyctl status' });
    }
  }
  const epoch = Math.max((state?.epoch ?? 0) + 1 + lag, Math.floor(wallMs / 1000));
  let current: State = { ...(state ?? EMPTY), epoch };
  let writing: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | null = null;

  const write = (): Promise<void> => {
    waiting = null;
    return disk.replace(path, encode(current), previous);
  };

  await write();
  // Now there is a predecessor, of this start too: it is never more than one behind.
  if (state === null || lag > 0) await write();
  return {
    state: current,
    problems,
    save(change) {
      current = { ...current, ...change };
      // One at a time. All that are asked during a write are one write after it.
      waiting ??= writing.then(write);
      writing = waiting.catch(() => undefined);
      return waiting;
    },
  };
}

/** The text of a state file: a version, a checksum of the body, the body. */
export function encode(state: State): string {
  const body = JSON.stringify(state);
  return `${JSON.stringify({ version: VERSION, sha256: checksum(body), body })}\n`;
}

/** The state in the text of a file. Throws a sentence when it is damaged or newer. */
export function decode(text: string): State {
  let outer: unknown;
  try {
    outer = JSON.parse(text);
  } catch {
    throw new Error('it is cut short or no JSON');
  }
  const envelope = v.safeParse(
    v.object({ version: v.number(), sha256: v.string(), body: v.string() }),
    outer,
  );
  if (!envelope.success) throw new Error('it is not a state file');
  const { version, sha256, body } = envelope.output;
  if (version > VERSION) throw new Error(`it was written by a newer agent (version ${version})`);
  if (checksum(body) !== sha256) throw new Error('its checksum is wrong');
  const state = v.safeParse(schema, JSON.parse(body));
  if (!state.success) {
    const [first] = state.issues;
    throw new Error(`its content is wrong: ${v.getDotPath(first) ?? ''} ${first.message}`);
  }
  return state.output;
}

const checksum = (body: string): string => createHash('sha256').update(body).digest('hex');

async function load(disk: Disk, path: string, problems: Aside[]): Promise<State | null> {
  let text: string | null;
  try {
    text = await disk.read(path);
  } catch (error) {
    throw new Error(`${path} cannot be read: ${sentence(error)}`, { cause: error });
  }
  if (text === null) return null;
  try {
    return decode(text);
  } catch (error) {
    const remedy = 'it is kept beside; the last good one is used where there is one';
    problems.push({ cause: `${path} is not usable: ${sentence(error)}`, remedy });
    return null;
  }
}

/** Under a name of its own; the hundredth takes the place of the one before. */
async function setAside(disk: Disk, path: string, problems: Aside[]): Promise<void> {
  let number = 1;
  while (number < 99 && (await exists(disk, `${path}.damaged-${number}`))) number++;
  const aside = `${path}.damaged-${number}`;
  await disk.rename(path, aside);
  problems.push({ cause: `it was kept as ${aside}`, remedy: 'remove it once looked at' });
}

async function exists(disk: Disk, path: string): Promise<boolean> {
  try {
    return (await disk.read(path)) !== null;
  } catch {
    return true;
  }
}

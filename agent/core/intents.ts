import { fitted, isEnded, isForgotten, overMany, whyOver } from './intent-limits.ts';
import type { Intent, Stamp } from './model.ts';

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.wallMs !== b.wallMs) return a.wallMs - b.wallMs;
  if (a.count !== b.count) return a.count - b.count;
  return a.node < b.node ? -1 : a.node > b.node ? 1 : 0;
}

/** A stamp further ahead of the receiver's clock than this is refused. */
export const STAMP_AHEAD_LIMIT_MS = 24 * 3600 * 1000;

/** True for a stamp that no clock near this one can have given. */
export const isAhead = ({ stamp }: Pick<Intent, 'stamp'>, wallMs: number): boolean =>
  stamp.wallMs > wallMs + STAMP_AHEAD_LIMIT_MS;

/** The largest count that travels; after it the next millisecond begins. */
const LAST_COUNT = 0xffff_ffff;

/**
 * The next stamp of a hybrid logical clock: later than `last` (the newest seen
 * anywhere, null for none) and never behind the wall clock.
 */
export function nextStamp(last: Stamp | null, wallMs: number, node: string): Stamp {
  if (last === null || wallMs > last.wallMs) return { wallMs, count: 0, node };
  if (last.count >= LAST_COUNT) return { wallMs: Math.floor(last.wallMs) + 1, count: 0, node };
  return { wallMs: last.wallMs, count: last.count + 1, node };
}

/** Tokens of an ACME CA; intent-limits.ts forgets them. */
export const CHALLENGE_PREFIX = 'acme/';

/** All intents by key, tombstones included. */
export type Intents = ReadonlyMap<string, Intent>;

export interface Merge {
  readonly intents: Intents;
  /** Those that were new here. */
  readonly taken: readonly Intent[];
  /** Stored here and newer than what was offered. */
  readonly newer: readonly Intent[];
  /** Stamped too far ahead of this host's clock, too long, or too many. */
  readonly refused: readonly Intent[];
}

/**
 * Last writer wins by stamp. Commutative and idempotent; never loses the newer of two, but for
 * one that is stored here with a stamp too far ahead: it was taken while this host's clock was
 * wrong, and would win over everything for as long as it was.
 */
export function mergeIntents(stored: Intents, offered: readonly Intent[], wallMs: number): Merge {
  const intents = new Map(stored);
  const taken = new Map<string, Intent>();
  const newer: Intent[] = [];
  const refused: Intent[] = [];
  for (const one of offered) {
    // By a clock that was years behind: it still takes back what it is newer than.
    if (isForgotten(one, wallMs) && !intents.has(one.key)) continue;
    const intent = fitted(one);
    if (intent === null || isAhead(intent, wallMs)) {
      refused.push(one);
      continue;
    }
    const known = intents.get(intent.key);
    const order =
      known === undefined || isAhead(known, wallMs) ? 1 : compareStamps(intent.stamp, known.stamp);
    if (order > 0) {
      intents.set(intent.key, intent);
      taken.set(intent.key, intent);
    } else if (order < 0 && known !== undefined) newer.push(known);
  }
  for (const [key, intent] of intents) if (isForgotten(intent, wallMs)) intents.delete(key);
  for (const key of taken.size === 0 ? [] : overMany(intents, wallMs)) {
    const dropped = taken.get(key);
    intents.delete(key);
    taken.delete(key);
    if (dropped !== undefined && !dropped.deleted) refused.push(dropped);
  }
  return { intents, taken: [...taken.values()], newer, refused };
}

/** What a disk or an older agent holds, as it would be taken now; what is stamped ahead stays until something replaces it. */
export function repaired(stored: readonly Intent[], wallMs: number): Intents {
  const kept = stored.flatMap((intent) => {
    const fit = isForgotten(intent, wallMs) ? null : fitted(intent);
    return fit === null ? [] : [[fit.key, fit] as const];
  });
  const intents = new Map(kept);
  for (const key of overMany(intents, wallMs)) intents.delete(key);
  return intents;
}

/** Why mergeIntents refused it, as a sentence about its key. */
export const whyRefused = (intent: Intent, wallMs: number): string =>
  isAhead(intent, wallMs)
    ? `${intent.key.slice(0, 100)} is stamped more than a day ahead of this host's clock`
    : whyOver(intent);

/**
 * The newest stamp of all that a clock near `wallMs` can have given; null when there is none. What a
 * clock gave that was days ahead is not followed: nobody would take what comes after it.
 */
export function newestStamp(intents: Intents, wallMs: number): Stamp | null {
  let newest: Stamp | null = null;
  for (const intent of intents.values())
    if (!isAhead(intent, wallMs) && (newest === null || compareStamps(intent.stamp, newest) > 0))
      newest = intent.stamp;
  return newest;
}

/** A stamp as operators carry it from a status to a verb: opaque to them. */
export const stampText = ({ wallMs, count, node }: Stamp): string => `${wallMs}/${count}/${node}`;

/** The stamp of such a text; null where it is none. */
export function stampOf(text: string): Stamp | null {
  const [, wall = '', count = '', node = ''] =
    /^(\d+(?:\.\d+)?)\/(\d{1,10})\/(\S+)$/.exec(text) ?? [];
  const stamp = { wallMs: Number(wall), count: Number(count), node };
  return node !== '' && Number.isFinite(stamp.wallMs) && stamp.count <= 0xffff_ffff ? stamp : null;
}

/** The text whose hash tells two sets of intents apart: sorted keys and stamps. */
export function digestText(intents: Intents): string {
  return [...intents.values()]
    .map(({ key, stamp }) => `${key}\0${stamp.wallMs}\0${stamp.count}\0${stamp.node}\n`)
    .sort()
    .join('');
}

/** True while the intent is neither taken back nor past its end. */
export function inForce(intent: Intent, wallMs: number): boolean {
  return !isEnded(intent, wallMs);
}

/** The intent in force under `key`; null for none. */
export function wish(intents: Intents, key: string, wallMs: number): Intent | null {
  const intent = intents.get(key);
  return intent !== undefined && inForce(intent, wallMs) ? intent : null;
}

export const pinKey = (address: string): string => `pin/${address}`;
export const maintenanceKey = (node: string): string => `maintenance/${node}`;
export const PAUSE_KEY = 'pause';

const CERTIFICATE = 'certificate/';
/** Key of the decided version of a certificate; the value is the SHA-256 of its bundle. */
export const certificateKey = (name: string): string => `${CERTIFICATE}${name}`;
/** The reverse of certificateKey; null for any other key. */
export const parseCertificateKey = (key: string): string | null =>
  key.startsWith(CERTIFICATE) ? key.slice(CERTIFICATE.length) : null;

/** Key of what a CA refused of a certificate's names, by their hash: a hundred names would be a long key. */
export const refusalKey = (hash: string): string => `acme-refusal/${hash}`;

/** Key of one server's wished state. Names are HAProxy's own; it allows no slash in them. */
export const serverKey = (instance: string, backend: string, server: string): string =>
  `server/${instance}/${backend}/${server}`;

/** Key of one server's wished weight. */
export const weightKey = (instance: string, backend: string, server: string): string =>
  `weight/${instance}/${backend}/${server}`;

export interface ServerTarget {
  readonly instance: string;
  readonly backend: string;
  readonly server: string;
}

/** The reverse of serverKey; null for any other key. */
export const parseServerKey = (key: string): ServerTarget | null => parsed(key, 'server');

/** The reverse of weightKey; null for any other key. */
export const parseWeightKey = (key: string): ServerTarget | null => parsed(key, 'weight');

function parsed(key: string, wanted: string): ServerTarget | null {
  const [kind, instance, backend, server, ...rest] = key.split('/');
  if (kind !== wanted || instance === undefined || backend === undefined) return null;
  if (server === undefined || rest.length > 0) return null;
  return { instance, backend, server };
}

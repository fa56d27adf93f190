import type { Intent } from './model.ts';

/** A reason is kept on every node and shown on one line, characters. */
export const LONGEST_REASON = 200;

/** The most characters of a key (its names are HAProxy's and file paths) and of a value. */
export const LONGEST_KEY = 1100;
export const LONGEST_VALUE = 2048;
/** Of an actor and a request id. */
const LONGEST_NAME = 128;

/** So many intents of each kind are kept, those that ended among them. */
export const MOST_OF_KIND: Readonly<Record<string, number>> = {
  pin: 1024,
  maintenance: 64,
  pause: 1,
  certificate: 4096,
  'acme-refusal': 4096,
  acme: 1024,
  server: 20_000,
  weight: 20_000,
  drill: 8,
};
/** Of all kinds together that only a newer agent knows. */
export const MOST_OF_OTHERS = 256;
/** A node that was away for longer has no certificate in force with which it could come back, ms. */
export const FORGET_ENDED_MS = 400 * 86_400_000;
/** ACME tokens live for 7 days at most: what is older than this is of no use to any node. */
export const FORGET_TOKEN_MS = 8 * 86_400_000;

/** Characters of one message's worth of intents: a quarter of what a message can carry. */
export const PART_CHARACTERS = 1 << 20;

/** What an intent counts as. */
const kindOf = ({ key }: Intent): string => {
  const kind = key.split('/', 1)[0] ?? '';
  return Object.hasOwn(MOST_OF_KIND, kind) ? kind : 'other';
};

/** True for what no node needs any more; by its stamp, so that all nodes forget alike. */
export function isForgotten(intent: Intent, wallMs: number): boolean {
  const ageMs = wallMs - intent.stamp.wallMs;
  if (kindOf(intent) === 'acme' && ageMs > FORGET_TOKEN_MS) return true;
  return ageMs > FORGET_ENDED_MS && isEnded(intent, wallMs);
}

/** True once the intent is taken back or past its end. */
export const isEnded = (intent: Intent, wallMs: number): boolean =>
  intent.deleted || (intent.untilWallMs !== null && wallMs >= intent.untilWallMs);

/**
 * The intent with texts of the length they may have: what is only for the record is cut, so that
 * what an older agent stored stays in force. Null where its key or value is too long.
 */
export function fitted(intent: Intent): Intent | null {
  const { key, value, actor, reason, requestId } = intent;
  if (key.length > LONGEST_KEY || value.length > LONGEST_VALUE) return null;
  if (
    actor.length <= LONGEST_NAME &&
    reason.length <= LONGEST_REASON &&
    requestId.length <= LONGEST_NAME
  )
    return intent;
  return {
    ...intent,
    actor: actor.slice(0, LONGEST_NAME),
    reason: reason.slice(0, LONGEST_REASON),
    requestId: requestId.slice(0, LONGEST_NAME),
  };
}

/**
 * The keys that are too many of their kind: those that ended go first, the oldest before the
 * newer, so that every node drops the same; then the newest.
 */
export function overMany(intents: ReadonlyMap<string, Intent>, wallMs: number): string[] {
  const kinds = new Map<string, Intent[]>();
  for (const intent of intents.values()) {
    const kind = kindOf(intent);
    const known = kinds.get(kind);
    if (known === undefined) kinds.set(kind, [intent]);
    else known.push(intent);
  }
  return [...kinds].flatMap(([kind, all]) => {
    const excess = all.length - (MOST_OF_KIND[kind] ?? MOST_OF_OTHERS);
    if (excess <= 0) return [];
    const [ended, wished] = [false, true].map((lasts) =>
      all
        .filter((intent) => isEnded(intent, wallMs) !== lasts)
        .sort((a, b) => a.stamp.wallMs - b.stamp.wallMs || (a.key < b.key ? -1 : 1)),
    ) as [Intent[], Intent[]];
    return [...ended, ...wished.reverse()].slice(0, excess).map(({ key }) => key);
  });
}

/** Which of these limits an intent is over, as a sentence about its key. */
export function whyOver(intent: Intent): string {
  const name = intent.key.slice(0, 100);
  if (fitted(intent) === null) return `${name} is longer than any key or value may be`;
  return `${name} is one too many: ${MOST_OF_KIND[kindOf(intent)] ?? MOST_OF_OTHERS} of its kind are kept`;
}

/** Lists that each fit one message, in order of their keys; one empty list of none. */
export function inParts(intents: Iterable<Intent>): Intent[][] {
  const parts: Intent[][] = [[]];
  let size = 0;
  for (const intent of [...intents].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const { key, value, actor, reason, requestId, stamp } = intent;
    // A character is three bytes of UTF-8 at most, and numbers and tags are beside them.
    const own = 3 * [key, value, actor, reason, requestId, stamp.node].join('').length + 64;
    if (size + own > PART_CHARACTERS && size > 0) {
      parts.push([]);
      size = 0;
    }
    size += own;
    parts.at(-1)?.push(intent);
  }
  return parts;
}

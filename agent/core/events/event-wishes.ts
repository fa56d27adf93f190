import { drillOf, type LastDrill } from '../drill.ts';
import { happening, type EventKind, type Happening } from './events.ts';
import { inForce, parseCertificateKey, parseServerKey, parseWeightKey } from '../intents.ts';
import { compareStamps, PAUSE_KEY, type Intents, type ServerTarget } from '../intents.ts';
import type { Intent } from '../model.ts';

/** What a decision is, for the record. */
interface Meaning {
  readonly kind: EventKind;
  /** An address, a node, BACKEND/SERVER, a certificate. */
  readonly object: string;
  /** What is asked for, as the sentence has it before its objects. */
  readonly words: string;
  /** And behind them. */
  readonly after?: string;
}

const nameOf = ({ instance, backend, server }: ServerTarget): string =>
  `${instance === '' ? '' : `${instance}:`}${backend}/${server}`;

const STATES = { drain: 'drain of', maint: 'maintenance (maint) of' } as const;

/** Null: nothing that is for the record of events, like the answers for an ACME CA. */
function meaningOf(intent: Intent): Meaning | null {
  const { key, value, deleted, failback } = intent;
  const [first = '', ...rest] = key.split('/');
  const object = rest.join('/');
  if (first === 'pin') {
    if (deleted) return { kind: 'failback', object, words: 'no pin any more on' };
    if (failback === true)
      return { kind: 'failback', object, words: 'failback of', after: ` to ${value}` };
    return { kind: 'failover', object, words: 'pin of', after: ` to ${value}` };
  }
  if (first === 'maintenance')
    return { kind: 'maintenance', object, words: `maintenance ${deleted ? 'off' : 'on'} for` };
  if (key === PAUSE_KEY)
    return {
      kind: deleted ? 'resume' : 'pause',
      object: 'automation',
      words: deleted ? 'resume of' : 'pause of',
    };
  const drill = drillOf(intent);
  if (drill !== null) return drillMeaning(drill);
  const certificate = parseCertificateKey(key);
  if (certificate !== null)
    return deleted ? null : { kind: 'certificate', object: certificate, words: 'certificate for' };
  const weighed = parseWeightKey(key);
  if (weighed !== null) {
    const words = deleted ? 'weight as configured for' : `weight ${value} for`;
    return { kind: 'weight', object: nameOf(weighed), words };
  }
  const target = parseServerKey(key);
  if (target === null) return null;
  const state = value === 'maint' ? 'maint' : 'drain';
  return deleted
    ? { kind: 'ready', object: nameOf(target), words: 'ready for' }
    : { kind: state, object: nameOf(target), words: STATES[state] };
}

function drillMeaning({ kind, state, node, darkMs, maxOutageMs, why }: LastDrill): Meaning {
  const waited = darkMs === null ? '' : `, clients waited ${Math.round(darkMs)} ms at most`;
  const words = `drill ${kind}`;
  if (state === 'running') return { kind: 'drill-begun', object: node, words: `${words} begun on` };
  if (state === 'passed')
    return {
      kind: 'drill-passed',
      object: node,
      words: `${words} passed on`,
      after: `${waited} (bound ${maxOutageMs} ms)`,
    };
  return {
    kind: 'drill-failed',
    object: node,
    words: `${words} failed on`,
    after: `${waited}: ${why}`,
  };
}

/** What one act has decided, one event for all of one kind; `taken` are of one request or of several. */
export function wishEvents(taken: readonly Intent[]): Happening[] {
  const acts = new Map<
    string,
    { readonly meaning: Meaning; readonly intents: Intent[]; objects: string[] }
  >();
  for (const intent of taken) {
    const meaning = meaningOf(intent);
    if (meaning === null) continue;
    const act = `${intent.requestId} ${meaning.words}${meaning.after ?? ''}`;
    const known = acts.get(act) ?? { meaning, intents: [], objects: [] };
    known.intents.push(intent);
    known.objects.push(meaning.object);
    acts.set(act, known);
  }
  return [...acts.values()].flatMap(({ meaning, intents, objects }) => {
    const [one] = intents;
    if (one === undefined) return [];
    const { actor, reason, requestId, untilWallMs } = one;
    const why = reason === '' ? '' : `: ${reason}`;
    const text = `${meaning.words} ${listed(objects)}${meaning.after ?? ''}, by ${actor}${why}`;
    return happening(meaning.kind, objects[0] ?? '', text, {
      actor,
      requestId,
      ...(reason === '' ? {} : { reason }),
      ...(untilWallMs === null ? {} : { untilWallMs }),
      ...(objects.length === 1 ? {} : { objects, objectsCount: objects.length }),
    });
  });
}

/** So many are named in a sentence. */
const NAMED = 3;

function listed(objects: readonly string[]): string {
  const more = objects.length - NAMED;
  return `${objects.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Wishes that were in force and have ended by themselves; each is told by the node it was made on. */
export function endedWishes(self: string, before: Readings, after: Readings): Happening[] {
  return [...before.intents.values()].flatMap((intent) => {
    const { key, stamp, untilWallMs } = intent;
    if (untilWallMs === null || untilWallMs > after.wallMs || stamp.node !== self) return [];
    const meaning = inForce(intent, before.wallMs) ? meaningOf(intent) : null;
    const now = after.intents.get(key);
    if (meaning === null || (now !== undefined && compareStamps(now.stamp, stamp) !== 0)) return [];
    const { actor, requestId } = intent;
    const text = `${meaning.words} ${meaning.object}${meaning.after ?? ''} has ended, as ${actor} asked`;
    return happening('wish-ended', meaning.object, text, { actor, requestId });
  });
}

interface Readings {
  readonly intents: Intents;
  /** Unix ms. */
  readonly wallMs: number;
}

import { random, type Random } from '../sim/random.ts';
import { FAULTS, VERBS, type Fault } from './actions.ts';
import { BACKUP, MASTER, type Episode, type Step } from './words.ts';

const LENGTH_MS = 16_000;
/** No verb may still be under way when everything is healed. */
const LAST_MS = 12_000;
const NO_FAULT = { kind: 'verb', lastsMs: 0, value: null } as const;

/** The episode of this number: the same for the same seed, number and nodes, whatever happened before. */
export function episodeOf(seed: number, number: number, nodes: readonly string[]): Episode {
  const chance = random(Math.imul(seed, 2_654_435_761) + number * 7919);
  // The first ones of neighbouring seeds are much alike.
  chance.next();
  const faults = dealt(seed, number).map((one) => fault(chance, one));
  const pushed = chance.chance(0.3) ? inSwap(chance) : [];
  const verbs = Array.from({ length: 3 + Math.floor(chance.next() * 3) }, () =>
    verb(chance, nodes),
  );
  const steps = [...faults, ...pushed, ...verbs];
  return { number, lengthMs: LENGTH_MS, steps: steps.toSorted((a, b) => a.atMs - b.atMs) };
}

/**
 * The faults of an episode, from a deck that is shuffled anew once it is dealt: one or two at a time,
 * so that every kind has its turn within some minutes.
 */
function dealt(seed: number, number: number): Fault[] {
  const chance = random(seed);
  const dealt: Fault[] = [];
  let from = 0;
  for (let at = 1; ; at++) {
    const take = 1 + Number(chance.chance(0.6));
    while (dealt.length < from + take) dealt.push(...shuffled(chance, DECK));
    if (at === number) return dealt.slice(from, from + take);
    from += take;
  }
}

const DECK = FAULTS.flatMap((one) => Array.from({ length: one.often ?? 1 }, () => one));

const shuffled = <T>(chance: Random, of: readonly T[]): T[] =>
  of
    .map((one) => ({ one, place: chance.next() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ one }) => one);

/** A certificate is pushed, and while that goes on something breaks. */
function inSwap(chance: Random): Step[] {
  const broken = { ...fault(chance, chance.pick(DECK)), lastsMs: 500 };
  const atMs = Math.max(0, broken.atMs - Math.round(chance.delay(0, 800)));
  return [{ ...NO_FAULT, atMs, name: 'cert-push', node: null }, broken];
}

function fault(chance: Random, { name, everywhere, values }: Fault): Step {
  const long = chance.chance(0.6);
  return {
    atMs: Math.round(chance.between(500, 5000)),
    kind: 'fault',
    name,
    node: everywhere === true ? null : chance.chance(0.65) ? MASTER : BACKUP,
    // Long enough to be one that nobody could wait for, or about as long as what it disturbs.
    lastsMs: Math.round(long ? chance.between(7000, 10_000) : chance.delay(300, 4000)),
    value: values === undefined ? null : chance.pick(values),
  };
}

function verb(chance: Random, nodes: readonly string[]): Step {
  const { name, ofNode } = chance.pick(VERBS);
  const atMs = Math.round(chance.between(0, LAST_MS));
  const node = ofNode === true ? chance.pick(nodes) : null;
  return { ...NO_FAULT, atMs, name, node };
}

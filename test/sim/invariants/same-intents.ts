import { compareStamps } from '../../../agent/core/intents.ts';
import type { Intent } from '../../../agent/core/model.ts';
import { isForgotten } from '../../../agent/core/intent-limits.ts';
import { decode } from '../../../agent/store/state.ts';
import { sentence } from '../../../agent/core/words.ts';
import { STATE_FILE } from '../agent.ts';
import { nameOf } from '../members.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import type { Check } from './truth.ts';

const QUIET_MS = 10_000;

/**
 * I5: an acknowledged intent is on every node; after healing all nodes hold the
 * same intents, in memory and on disk, and none that nobody asked for. Tolerated until nothing was wrong for
 * QUIET_MS; an intent whose every disk was lost meanwhile is not asked for.
 */
export function sameIntents(): Check {
  let lookedAt = -1;
  const check = (world: World): void => {
    // Nothing is written while nothing happens: once per quiet time is enough.
    if (world.quietMs() < QUIET_MS || lookedAt === world.troubledAtMs) return;
    lookedAt = world.troubledAtMs;
    const [first, ...others] = world.hosts;
    if (first === undefined) return;
    const held = first.agent?.intents() ?? new Map<string, Intent>();
    for (const host of others)
      compare(held, host.agent?.intents() ?? new Map(), `${first.name} and ${host.name}`);
    for (const host of world.hosts) {
      const text = host.disk.content(STATE_FILE);
      if (text === null) fail(`${host.name} has no state file`);
      let stored: readonly Intent[];
      try {
        stored = decode(text).intents;
      } catch (error) {
        return fail(`the state file of ${host.name} is damaged: ${sentence(error)}`);
      }
      compare(
        held,
        new Map(stored.map((intent) => [intent.key, intent])),
        `${first.name} and the disk of ${host.name}`,
      );
    }
    for (const intent of held.values()) {
      const made = world.made.get(nameOf(intent));
      if (made === undefined || made.value !== intent.value || made.deleted !== intent.deleted)
        fail(`nobody ever asked for ${intent.key} = ${intent.value}`);
    }
    for (const acked of world.acknowledged.values()) {
      const now = held.get(acked.key);
      // Taken back by a clock years behind: once it is done no node has to know of it.
      if (now === undefined && isForgotten(acked, first.clock.wallMs)) continue;
      if (now === undefined || compareStamps(now.stamp, acked.stamp) < 0)
        fail(`${acked.key} = ${acked.value} was acknowledged and is gone`);
    }
  };
  return { name: 'same-intents', check };
}

function compare(
  one: ReadonlyMap<string, Intent>,
  other: ReadonlyMap<string, Intent>,
  who: string,
): void {
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const a = one.get(key);
    const b = other.get(key);
    if (a === undefined || b === undefined) fail(`${who}: ${key} is on one only`);
    if (compareStamps(a.stamp, b.stamp) !== 0 || a.value !== b.value || a.deleted !== b.deleted)
      fail(`${who} differ in ${key}`);
  }
}

function fail(text: string): never {
  throw new Violation('same-intents', text);
}

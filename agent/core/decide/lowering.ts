import type { Part } from './decision.ts';
import type { Memory } from './memory.ts';
import { isObserver, refuses } from '../health.ts';
import { maintenanceKey, pinKey, wish } from '../intents.ts';
import { LOWERED_ADVSKEW } from '../model.ts';
import { explain } from './reasons.ts';
import {
  desiredAdvskew,
  hasSeen,
  isForsaken,
  isIsolated,
  isRescued,
  put,
  where,
  type Situation,
} from './situation.ts';

/** Brings the advskew in the kernel to what it should be, where this host may do so by itself now. */
export function advskewFor(at: Situation): Part | null {
  const { mine, memory } = at;
  const wanted = desiredAdvskew(at);
  if (wanted === mine.advskew || !maySet(at, wanted)) return null;
  const why = isIsolated(at)
    ? `${mine.address} is held alone: no peer and no witness answers; it yields when they return`
    : explain(at);
  const waitUntil = notBefore(at, memory, wanted);
  if (waitUntil !== null)
    return { reason: `${why}; waits, it changed just now`, wakeAtMs: waitUntil };
  const action = { kind: 'set-advskew', advskew: wanted, reason: why, ...where(mine) } as const;
  const yields =
    refuses(at.me.health) && mine.state === 'MASTER' && wanted === LOWERED_ADVSKEW
      ? put(memory.healthYields, mine.address, at.nowMs)
      : memory.healthYields;
  return { reason: why, actions: [action], memory: { ...memory, healthYields: yields } };
}

/** Whether this host may set that advskew by itself now. */
function maySet(at: Situation, wanted: number): boolean {
  const { mine, me, ownership, view, masters } = at;
  if (mine.baseAdvskew === null) return false;
  const isMaster = mine.state === 'MASTER';
  const mineToOwn = ownership.owner?.node === view.self;
  if (wanted === LOWERED_ADVSKEW) {
    // Before it has joined it only lowers itself for what is stored on its own disk, or serves nobody.
    if (me.joined || storedCause(at)) return true;
    return !isObserver(me) && (isForsaken(at) || isRescued(at));
  }
  if (!me.joined) return false;
  if (isMaster) {
    // What is raised here beats others: each of them must have spoken knowing how it is here.
    const others = ownership.candidates.filter(({ node }) => node !== view.self);
    const known = others.every(({ report }) => hasSeen(report, me));
    return known && (mineToOwn || ownership.owner !== null);
  }
  // A BACKUP raises itself in the one command that takes the address, never before; only
  // where it stays above the owner's base does raising change nothing in the comparison.
  return !mineToOwn && masters.some(({ node }) => node !== view.self);
}

function storedCause({ mine, view, me }: Situation): boolean {
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  const maintained = wish(view.intents, maintenanceKey(view.self), view.wallMs) !== null;
  return me.leaving || maintained || (pin !== null && pin.value !== view.self);
}

/**
 * An address is given up for a dead HAProxy at once, and at most once per
 * `hold`; what somebody changed by hand stands for `hold`. Null: go.
 */
function notBefore(at: Situation, memory: Memory, wanted: number): number | null {
  const { mine, me, view, nowMs, ownership } = at;
  const { holdMs } = view.policy;
  const outsideAtMs = memory.known.get(mine.address)?.outsideAtMs ?? null;
  const outside = outsideAtMs === null ? 0 : outsideAtMs + holdMs;
  const forHealth =
    wanted === LOWERED_ADVSKEW &&
    mine.state === 'MASTER' &&
    refuses(me.health) &&
    (ownership.place?.name === 'haproxy' || ownership.place?.name === 'partly');
  const last = memory.healthYields.get(mine.address);
  const again = forHealth && last !== undefined ? last + holdMs : 0;
  const due = Math.max(outside, again);
  return due > nowMs ? due : null;
}

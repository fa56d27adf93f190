import { grantFor, takeFor, type Forces, type Grant } from './handshake.ts';
import { maintenanceKey, pinKey, wish } from './intents.ts';
import { LOWERED_ADVSKEW } from './model.ts';
import { owner, type View } from './owner.ts';
import { explain } from './reasons.ts';
import { desiredAdvskew, put, where, type Situation } from './situation.ts';
import { FORCE_INTERVAL_MS, FORCE_WINDOW_MS, OVERLAP_MS } from './timing.ts';

/** What the host is to be told. Plain data; performing one twice is harmless. */
export type Action =
  | {
      readonly kind: 'set-advskew';
      readonly address: string;
      readonly interface: string;
      readonly vhid: number;
      readonly advskew: number;
      readonly reason: string;
    }
  /** `advskew K state master` as one command: the kernel takes both or neither. */
  | {
      readonly kind: 'take';
      readonly address: string;
      readonly interface: string;
      readonly vhid: number;
      readonly advskew: number;
      readonly reason: string;
    }
  /** Every MASTER vhid of this host sends its advert now. */
  | { readonly kind: 'advertise'; readonly reason: string };

/** What ages between rounds. A new agent starts with NO_MEMORY. */
export interface Memory {
  readonly grants: ReadonlyMap<string, Grant>;
  readonly forces: ReadonlyMap<string, Forces>;
  /** When an address was last given up because HAProxy is down here. */
  readonly healthYields: ReadonlyMap<string, number>;
  /** Since when more than one fresh node says MASTER. */
  readonly overlaps: ReadonlyMap<string, number>;
  readonly advertisedAtMs: number | null;
}

export const NO_MEMORY: Memory = {
  grants: new Map(),
  forces: new Map(),
  healthYields: new Map(),
  overlaps: new Map(),
  advertisedAtMs: null,
};

/** What this node thinks of one address; goes into its report. */
export interface AddressVerdict {
  readonly address: string;
  readonly owner: string | null;
  readonly yieldTo: string | null;
  readonly reason: string;
}

export interface DecisionAlert {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
}

export interface Decision {
  readonly actions: readonly Action[];
  readonly verdicts: readonly AddressVerdict[];
  readonly alerts: readonly DecisionAlert[];
  readonly memory: Memory;
  /** When to look again even if nothing happens; null: only on events. */
  readonly wakeAtMs: number | null;
}

interface Step {
  readonly verdict: AddressVerdict;
  readonly actions: readonly Action[];
  readonly alerts: readonly DecisionAlert[];
  readonly memory: Memory;
  readonly wakeAtMs: number | null;
}

/**
 * The whole policy of moving addresses: same view, memory and time in, same
 * decision out. Level-triggered: it compares what is with what should be, so a
 * restart at any point resumes by itself.
 */
export function decide(view: View, memory: Memory, nowMs: number): Decision {
  const me = view.nodes.find(({ node }) => node === view.self)?.report ?? null;
  if (me === null) return { actions: [], verdicts: [], alerts: [], memory, wakeAtMs: null };
  const steps: Step[] = [];
  for (const mine of me.addresses) {
    const ownership = owner(mine.address, view, nowMs);
    const masters = ownership.candidates.filter(({ isMaster }) => isMaster);
    const carried = steps.at(-1)?.memory ?? memory;
    steps.push(decideAddress({ view, me, mine, ownership, masters, nowMs }, carried));
  }
  const wakes = steps.flatMap(({ wakeAtMs }) => (wakeAtMs === null ? [] : [wakeAtMs]));
  return {
    actions: steps.flatMap(({ actions }) => actions),
    verdicts: steps.map(({ verdict }) => verdict),
    alerts: steps.flatMap(({ alerts }) => alerts),
    memory: steps.at(-1)?.memory ?? memory,
    wakeAtMs: wakes.length === 0 ? null : Math.min(...wakes),
  };
}

function decideAddress(at: Situation, before: Memory): Step {
  const { mine, ownership } = at;
  const alarm = forbidden(at);
  const memory = carry(at, before);
  const overlapSince = memory.overlaps.get(mine.address) ?? null;
  const step = (
    reason: string,
    rest: Partial<Omit<Step, 'verdict'>> & { readonly yieldTo?: string | null } = {},
  ): Step => ({
    verdict: {
      address: mine.address,
      owner: ownership.owner?.node ?? null,
      yieldTo: rest.yieldTo ?? null,
      reason,
    },
    actions: rest.actions ?? [],
    alerts: rest.alerts ?? [],
    memory: rest.memory ?? memory,
    wakeAtMs: rest.wakeAtMs ?? null,
  });

  if (mine.state === 'INIT')
    return step('INIT here: link down, no address or net.inet.carp.allow=0');
  if (alarm !== null) {
    return step(alarm, { alerts: [{ id: 'carp-config', subject: mine.address, text: alarm }] });
  }
  const grant = grantFor(at, memory);
  if (grant !== null) return step(grant.reason, grant);
  const take = takeFor(at, memory);
  if (take !== null) return step(take.reason, take);

  const wanted = desiredAdvskew(at);
  const why = explain(at);
  if (wanted !== mine.advskew && maySet(at, wanted)) {
    const waitUntil = lowerNotBefore(at, memory, wanted);
    if (waitUntil !== null) {
      return step(`${why}; waits, it moved for the same cause just now`, { wakeAtMs: waitUntil });
    }
    const action = { kind: 'set-advskew', advskew: wanted, reason: why, ...where(mine) } as const;
    const yields =
      at.me.health === 'down' && mine.state === 'MASTER' && wanted === LOWERED_ADVSKEW
        ? put(memory.healthYields, mine.address, at.nowMs)
        : memory.healthYields;
    return step(why, { actions: [action], memory: { ...memory, healthYields: yields } });
  }
  return overlapSince === null ? step(why) : resolveOverlap(at, memory, overlapSince, why, step);
}

/** Memory brought up to date with what is seen now, before anything is decided from it. */
function carry({ mine, masters, nowMs }: Situation, before: Memory): Memory {
  const { address, state, stateSinceMs } = mine;
  const overlap = masters.length > 1 ? (before.overlaps.get(address) ?? nowMs) : null;
  const stands =
    state === 'MASTER' && masters.length === 1 && nowMs - stateSinceMs >= FORCE_INTERVAL_MS;
  const forces = (before.forces.get(address) ?? []).filter((at) => nowMs - at < FORCE_WINDOW_MS);
  const grant = state === 'MASTER' ? (before.grants.get(address) ?? null) : null;
  return {
    ...before,
    overlaps: put(before.overlaps, address, overlap),
    forces: put(before.forces, address, stands || forces.length === 0 ? null : forces),
    grants: put(before.grants, address, grant),
  };
}

/** Two MASTERs beyond the overlap of a move: the owner's advert at once makes the other yield. */
function resolveOverlap(
  at: Situation,
  memory: Memory,
  sinceMs: number,
  why: string,
  step: (reason: string, rest?: Partial<Omit<Step, 'verdict'>>) => Step,
): Step {
  const { mine, ownership, view, nowMs } = at;
  if (mine.state !== 'MASTER' || ownership.owner?.node !== view.self) return step(why);
  const due = Math.max(
    sinceMs + OVERLAP_MS,
    memory.advertisedAtMs === null ? 0 : memory.advertisedAtMs + FORCE_INTERVAL_MS,
  );
  if (nowMs < due) return step(why, { wakeAtMs: due });
  const text = `more than one MASTER for ${mine.address}; ${view.self} advertises at once`;
  return step(text, {
    actions: [{ kind: 'advertise', reason: text }],
    alerts: [{ id: 'split-brain', subject: mine.address, text }],
    memory: { ...memory, advertisedAtMs: nowMs },
    wakeAtMs: nowMs + FORCE_INTERVAL_MS,
  });
}

/** Whether this host may set that advskew by itself now. */
function maySet(at: Situation, wanted: number): boolean {
  const { mine, me, ownership, view, masters } = at;
  if (mine.baseAdvskew === null) return false;
  const isMaster = mine.state === 'MASTER';
  const mineToOwn = ownership.owner?.node === view.self;
  if (wanted === LOWERED_ADVSKEW) {
    // Before it has joined it only lowers itself for what is stored on its own disk.
    return me.joined || storedCause(at);
  }
  if (!me.joined) return false;
  if (isMaster) return mineToOwn || ownership.owner !== null;
  // A BACKUP raises itself in the one command that takes the address, never before; only
  // where it stays above the owner's base does raising change nothing in the comparison.
  return !mineToOwn && masters.some(({ node }) => node !== view.self);
}

function storedCause({ mine, view }: Situation): boolean {
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  const maintained = wish(view.intents, maintenanceKey(view.self), view.wallMs) !== null;
  return maintained || (pin !== null && pin.value !== view.self);
}

/** HAProxy down here gives an address up at once, and at most once per `hold`; null: go. */
function lowerNotBefore(at: Situation, memory: Memory, wanted: number): number | null {
  const { mine, me, view, nowMs, ownership } = at;
  if (wanted !== LOWERED_ADVSKEW || mine.state !== 'MASTER' || me.health !== 'down') return null;
  if (ownership.because !== 'haproxy') return null;
  const last = memory.healthYields.get(mine.address);
  const due = last === undefined ? nowMs : last + view.policy.holdMs;
  return due > nowMs ? due : null;
}

/** Configuration in which the kernels cannot agree; null when all is well. */
function forbidden({ mine, ownership }: Situation): string | null {
  const others = ownership.candidates.filter(({ address }) => address !== mine);
  for (const { node, address } of others) {
    if (address.advbase !== mine.advbase)
      return `no moves: advbase is ${mine.advbase} here and ${address.advbase} on ${node}; make them equal`;
    if (address.baseAdvskew !== null && address.baseAdvskew === mine.baseAdvskew)
      return `no moves: advskew is ${mine.baseAdvskew} here and on ${node}; give each host its own`;
  }
  return null;
}

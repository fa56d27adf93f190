import type { Action } from './decision.ts';
import type { Known, Memory } from './memory.ts';
import { judgeEarly } from './early.ts';
import type { OwnerChange } from '../history.ts';
import { LOWERED_ADVSKEW, type AddressReport, type NodeReport } from '../model.ts';
import { owner } from './owner.ts';
import type { View } from './view.ts';
import { freshNodes, isCut, silences } from '../peers.ts';
import { put } from './situation.ts';
import { hindrances } from './standby.ts';
import { isUnserved } from './unserved.ts';
import {
  ALIVE_AGAIN_MS,
  FORCE_INTERVAL_MS,
  FORCE_WINDOW_MS,
  REJOIN_MS,
  UNASKED_WINDOW_MS,
} from '../timing.ts';

/** Memory brought up to date with what is seen now, before anything is decided from it. */
export function remember(view: View, me: NodeReport, before: Memory, nowMs: number): Memory {
  let memory = before;
  let yielded = false;
  for (const mine of me.addresses) {
    const known = before.known.get(mine.address);
    yielded ||= known?.state === 'MASTER' && mine.state === 'BACKUP';
    memory = rememberAddress(view, me, mine, memory, nowMs);
  }
  memory = judgeEarly(view, memory, yielded, nowMs);
  const networks = me.addresses.map(({ network }) => network);
  memory = { ...memory, silence: silences(networks, view.paths, memory.silence, nowMs) };
  return rememberIsolation(view, me, memory, nowMs);
}

function rememberAddress(
  view: View,
  me: NodeReport,
  mine: AddressReport,
  before: Memory,
  nowMs: number,
): Memory {
  const { address, state, stateSinceMs } = mine;
  const ownership = owner(address, view, nowMs);
  const masters = ownership.candidates.filter(({ isMaster }) => isMaster);
  const holder = masters.find(({ node }) => node !== view.self)?.node;
  const overlap = masters.length > 1 ? (before.overlaps.get(address) ?? nowMs) : null;
  const stands =
    state === 'MASTER' && masters.length === 1 && nowMs - stateSinceMs >= FORCE_INTERVAL_MS;
  const forces = recent(before.forces.get(address), FORCE_WINDOW_MS, nowMs);
  const grant = state === 'MASTER' ? (before.grants.get(address) ?? null) : null;
  const unserved = isUnserved(view, me, mine, ownership);
  const isAlone = hindrances(ownership, view).length > 0;
  const was = before.known.get(address);
  const promoted = state === 'MASTER' && was !== undefined && was.state === 'BACKUP';
  const arrived = promoted && was.took !== null;
  const against = promoted && !arrived && masters.some(({ node }) => node !== view.self);
  const moves = recent(before.moves.get(address), view.policy.windowMs, nowMs);
  const unasked = recent(before.unasked.get(address), UNASKED_WINDOW_MS, nowMs);
  return {
    ...before,
    overlaps: put(before.overlaps, address, overlap),
    forces: put(before.forces, address, stands || forces.length === 0 ? null : forces),
    grants: put(before.grants, address, grant),
    known: put(before.known, address, nextKnown(mine, was, nowMs)),
    holders: put(before.holders, address, holder ?? before.holders.get(address) ?? null),
    unserved: put(
      before.unserved,
      address,
      unserved ? (before.unserved.get(address) ?? nowMs) : null,
    ),
    stepOuts: put(
      before.stepOuts,
      address,
      isAliveAgain(me, nowMs) ? null : (before.stepOuts.get(address) ?? null),
    ),
    alone: put(before.alone, address, isAlone ? (before.alone.get(address) ?? nowMs) : null),
    moves: put(before.moves, address, arrived && was.took?.counts ? [...moves, nowMs] : moves),
    unasked: put(before.unasked, address, against ? [...unasked, nowMs] : unasked),
  };
}

/** What was left to the kernels before says nothing of the next death. */
const isAliveAgain = ({ health, healthSinceMs }: NodeReport, nowMs: number): boolean =>
  health !== 'down' && nowMs - healthSinceMs >= ALIVE_AGAIN_MS;

const recent = (times: readonly number[] | undefined, windowMs: number, nowMs: number): number[] =>
  (times ?? []).filter((atMs) => nowMs - atMs < windowMs);

/** Who set what is there now: what this agent did not command was somebody else. */
function nextKnown(mine: AddressReport, was: Known | undefined, nowMs: number): Known {
  const { state, advskew } = mine;
  // The first reading after a start: a 254 is taken for our own, left from before.
  const outside = was !== undefined && advskew !== was.advskew && advskew !== was.commanded;
  const byHand =
    advskew === LOWERED_ADVSKEW && (outside || (was !== undefined && was.byHand && !outside));
  return {
    state,
    advskew,
    byHand,
    commanded: was?.commanded ?? null,
    took: state === 'MASTER' ? null : (was?.took ?? null),
    outsideAtMs: outside ? nowMs : (was?.outsideAtMs ?? null),
  };
}

/** Every peer and every witness is silent on the interface of an address this host holds. */
function rememberIsolation(view: View, me: NodeReport, before: Memory, nowMs: number): Memory {
  const alone = freshNodes(view.nodes).every(({ node }) => node === view.self);
  const cut = me.addresses.some(
    ({ state, network }) => state === 'MASTER' && alone && isCut(view.paths, network, 0, nowMs),
  );
  if (cut) {
    const isolatedSinceMs = before.isolatedSinceMs ?? nowMs;
    return { ...before, isolatedSinceMs, isolatedUntilMs: nowMs };
  }
  const { isolatedUntilMs } = before;
  const over = !alone || (isolatedUntilMs !== null && nowMs - isolatedUntilMs > REJOIN_MS);
  return { ...before, isolatedSinceMs: null, isolatedUntilMs: over ? null : isolatedUntilMs };
}

/** What was commanded, so that the next reading can be told from somebody else's hand. */
export function commanded(
  memory: Memory,
  actions: readonly Action[],
  counts: (address: string) => boolean,
  nowMs: number,
): Memory {
  let { known } = memory;
  for (const action of actions) {
    if (!('advskew' in action)) continue;
    const was = known.get(action.address);
    if (was === undefined) continue;
    const took =
      action.kind === 'take'
        ? { atMs: nowMs, counts: counts(action.address), reason: action.reason }
        : was.took;
    known = put(known, action.address, { ...was, commanded: action.advskew, took });
  }
  return known === memory.known ? memory : { ...memory, known };
}

/** The addresses that came to this node since the round that `before` is of. */
export function gained(before: Memory, me: NodeReport, view: View): OwnerChange[] {
  return me.addresses.flatMap(({ address, state }): OwnerChange[] => {
    const was = before.known.get(address);
    if (was === undefined || was.state === 'MASTER' || state !== 'MASTER') return [];
    const from = before.holders.get(address) ?? null;
    const change = { address, from, to: me.node, atWallMs: view.wallMs };
    if (was.took !== null) return [{ ...change, cause: 'agent', reason: was.took.reason }];
    const reason = `carp(4) made it MASTER: ${from ?? 'the MASTER'} was not heard or slower, or by hand`;
    return [{ ...change, cause: 'kernel', reason }];
  });
}

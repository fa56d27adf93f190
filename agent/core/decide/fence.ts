import { alert, type Noticed } from '../alerts/alert.ts';
import type { Action } from './decision.ts';
import type { Lost, Memory } from './memory.ts';
import { isOpen } from '../health.ts';
import type { NodeReport, NodeView, Received } from '../model.ts';
import { isPaused } from './candidates.ts';
import { owner } from './owner.ts';
import type { View } from './view.ts';
import { freshNodes } from '../peers.ts';
import {
  FENCE_RENEW_MS,
  HEALED_MS,
  LOST_AFTER_MS,
  OVERLAP_MS,
  TRIAL_INTERVAL_MS,
  TRIAL_MS,
  UNASKED_LIMIT,
} from '../timing.ts';

/** What is to be done about adverts that do not arrive; for the host, not for one address. */
export interface FencePart {
  readonly memory: Memory;
  readonly keeper: string | null;
  readonly actions: readonly Action[];
  readonly alerts: readonly Noticed[];
  readonly wakeAtMs: number | null;
}

/**
 * Two MASTERs that hear each other over gossip and not over CARP: one keeper
 * keeps every address, the other nodes fence themselves on a lease. The fence
 * lifts when the keeper is away, not MASTER or not serving, or when adverts of
 * every family in use arrive again; then on trial, since counters do not tell a
 * wrong password.
 */
export function fencePart(view: View, me: NodeReport, before: Memory, nowMs: number): FencePart {
  const lost = stillLost(view, me, before, nowMs);
  // What was counted before it healed does not count against it again.
  const healed = before.lost !== null && lost === null;
  const memory = { ...before, lost, ...(healed ? { unasked: new Map() } : {}) };
  if (lost === null) {
    const leftover = view.fenceMine && view.allow === false;
    const reason = 'the fence is lifted: nothing calls for it';
    return part(memory, null, leftover ? [{ kind: 'unfence', reason }] : []);
  }
  const keeper = keeperOf(view, me, nowMs);
  if (me.fenced) return fenced(view, me, memory, lost, keeper, nowMs);
  if (lost.trial !== null) return onTrial(view, me, memory, lost, keeper, nowMs);
  if (keeper === null || keeper.node === view.self) return part(memory, keeper?.node ?? null);
  const { fence } = view.policy;
  const ready =
    fence &&
    !isPaused(view) &&
    me.joined &&
    serves(keeper, me) &&
    keepsAll(keeper, me) &&
    isLowered(me);
  if (!ready) return part(memory, keeper.node);
  return raise(view, memory, lost, keeper.node, nowMs);
}

const part = (
  memory: Memory,
  keeper: string | null,
  actions: readonly Action[] = [],
  wakeAtMs: number | null = null,
): FencePart => ({ memory, keeper, actions, wakeAtMs, alerts: alertsOf(memory.lost, keeper) });

function alertsOf(lost: Lost | null, keeper: string | null): Noticed[] {
  if (lost === null) return [];
  const keeps = `${keeper ?? 'nobody'} keeps the addresses`;
  const text = lost.badAuth
    ? `CARP adverts arrive and are not authentic: another password, the end of a longer old one, or another list of addresses; ${keeps}`
    : `CARP adverts are lost between nodes that hear each other; ${keeps} (pf, switch, password?)`;
  return [alert('adverts-lost', 'carp', text, 'proxyctl doctor')];
}

/** What is known of lost adverts after this reading; null: they arrive. */
function stillLost(view: View, me: NodeReport, before: Memory, nowMs: number): Lost | null {
  const { lost } = before;
  const others = freshNodes(view.nodes).filter(({ node }) => node !== view.self);
  if (lost === null) {
    const splitMs = Math.max(0, ...[...before.overlaps.values()].map((sinceMs) => nowMs - sinceMs));
    const flaps = [...before.unasked.values()].some((times) => times.length >= UNASKED_LIMIT);
    // The keeper may see nothing of it itself: the others' word makes it take every address.
    const asked = others.some(({ report }) => saysLost(report));
    const keeps = asked && keeperOf(view, me, nowMs)?.node === view.self;
    return splitMs >= OVERLAP_MS + LOST_AFTER_MS || flaps || keeps ? newlyLost(nowMs) : null;
  }
  if (me.fenced || lost.trial !== null) return lost;
  // The keeper's side, and a node whose fence may not be: over once nothing is doubled for a while.
  const doubled = before.overlaps.size > 0;
  const troubled = others.some(({ report }) => report?.fenced || saysLost(report));
  if (doubled || (troubled && keeperOf(view, me, nowMs)?.node === view.self))
    return { ...lost, sinceMs: nowMs };
  return nowMs - lost.sinceMs > HEALED_MS ? null : lost;
}

const saysLost = (report: NodeReport | null): boolean =>
  report?.addresses.some(({ advertsLost }) => advertsLost) ?? false;

const newlyLost = (nowMs: number): Lost => ({
  sinceMs: nowMs,
  fencedAt: null,
  renewedAtMs: null,
  trial: null,
  noTrialBeforeMs: 0,
  badAuth: false,
});

/**
 * The owner of the lowest-numbered doubled vhid, else the fresh node that is MASTER of the lowest;
 * one whose HAProxy is dead only where all are.
 */
function keeperOf(view: View, me: NodeReport, nowMs: number): NodeView | null {
  const addresses = [...me.addresses].sort((a, b) => a.vhid - b.vhid);
  const find = (node: string): NodeView | null =>
    view.nodes.find((one) => one.node === node) ?? null;
  let single: string | null = null;
  let dead: string | null = null;
  for (const { address } of addresses) {
    const { owner: chosen, candidates } = owner(address, view, nowMs);
    const masters = candidates.filter(({ isMaster }) => isMaster);
    if (masters.length > 1 && chosen !== null) return find(chosen.node);
    single ??= masters.find(({ report }) => report.health !== 'down')?.node ?? null;
    dead ??= masters[0]?.node ?? null;
  }
  const keeper = single ?? dead;
  return keeper === null ? null : find(keeper);
}

/** HAProxy lives there, and no required frontend is closed that is open here. */
const serves = ({ report }: NodeView, me: NodeReport): boolean =>
  report !== null && report.health !== 'down' && !(report.health === 'partly' && isOpen(me.health));

/** The keeper is MASTER of everything this host carries and the keeper can carry. */
const keepsAll = ({ report }: NodeView, me: NodeReport): boolean =>
  me.addresses.every(({ address }) => {
    const theirs = report?.addresses.find((one) => one.address === address);
    // One that hears nobody there keeps it for nobody.
    return theirs !== undefined && theirs.state === 'MASTER' && !theirs.cutOff;
  });

const isLowered = (me: NodeReport): boolean =>
  me.addresses.every(({ advskew, baseAdvskew }) => advskew === 254 || baseAdvskew === null);

function raise(view: View, memory: Memory, lost: Lost, keeper: string, nowMs: number): FencePart {
  const reason = `fenced: adverts are lost and ${keeper} keeps the addresses`;
  const next = { ...lost, fencedAt: view.received, renewedAtMs: nowMs, trial: null };
  return part(
    { ...memory, lost: next },
    keeper,
    [{ kind: 'fence', reason }],
    nowMs + FENCE_RENEW_MS,
  );
}

function fenced(
  view: View,
  me: NodeReport,
  memory: Memory,
  lost: Lost,
  keeper: NodeView | null,
  nowMs: number,
): FencePart {
  const lift = (reason: string, next: Lost): FencePart =>
    part({ ...memory, lost: next }, keeper?.node ?? null, [{ kind: 'unfence', reason }]);
  if (keeper === null || !keepsAll(keeper, me))
    return lift('the fence is lifted: the keeper is not heard or not MASTER', lost);
  if (!serves(keeper, me))
    return lift(`the fence is lifted: HAProxy on ${keeper.node} does not serve`, lost);
  if (nowMs >= lost.noTrialBeforeMs && arrivesAgain(view, me, lost, nowMs)) {
    const trial = { sinceMs: nowMs, received: view.received ?? NOTHING };
    return lift('the fence is lifted on trial: adverts arrive again', { ...lost, trial });
  }
  const dueAtMs = (lost.renewedAtMs ?? 0) + FENCE_RENEW_MS;
  if (nowMs < dueAtMs) return part(memory, keeper.node, [], dueAtMs);
  const reason = `fenced: ${keeper.node} keeps the addresses`;
  const next = { ...lost, fencedAt: lost.fencedAt ?? view.received, renewedAtMs: nowMs };
  const renewed = { ...memory, lost: next };
  return part(renewed, keeper.node, [{ kind: 'fence', reason }], nowMs + FENCE_RENEW_MS);
}

const NOTHING: Received = { v4: 0, v6: 0, badAuth: 0 };

/** Two adverts per vhid in every family in use; without counters the time alone allows a trial. */
function arrivesAgain({ received }: View, me: NodeReport, lost: Lost, nowMs: number): boolean {
  const { fencedAt } = lost;
  if (received === null || fencedAt === null) return nowMs - lost.sinceMs >= TRIAL_INTERVAL_MS;
  return grewBy(2, me, fencedAt, received);
}

function grewBy(count: number, me: NodeReport, from: Received, to: Received): boolean {
  const vips = (is6: boolean): number =>
    me.addresses.filter((one) => one.vips.some((vip) => vip.includes(':') === is6)).length;
  return to.v4 - from.v4 >= count * vips(false) && to.v6 - from.v6 >= count * vips(true);
}

function onTrial(
  view: View,
  me: NodeReport,
  memory: Memory,
  lost: Lost,
  keeper: NodeView | null,
  nowMs: number,
): FencePart {
  const { trial } = lost;
  const node = keeper?.node ?? null;
  if (trial === null || keeper === null || keeper.node === view.self || !serves(keeper, me))
    return part({ ...memory, lost: { ...lost, trial: null } }, node);
  const { received } = view;
  const bad = received !== null && received.badAuth > trial.received.badAuth;
  const over = nowMs - trial.sinceMs >= TRIAL_MS;
  const split = me.addresses.some(({ state }) => state === 'MASTER');
  if (bad || split || (over && received !== null && !grewBy(1, me, trial.received, received))) {
    // A wrong password does not mend itself; half of the adverts may come back at any time.
    const pauseMs = bad || split ? TRIAL_INTERVAL_MS : HEALED_MS;
    const badAuth = lost.badAuth || bad;
    const later = { ...lost, noTrialBeforeMs: nowMs + pauseMs, badAuth };
    return raise(view, memory, later, keeper.node, nowMs);
  }
  if (received !== null && grewBy(1, me, trial.received, received) && over)
    return part({ ...memory, lost: null, unasked: new Map() }, null);
  if (received === null && nowMs - trial.sinceMs >= 2 * TRIAL_MS)
    return part({ ...memory, lost: null, unasked: new Map() }, null);
  return part(memory, node, [], trial.sinceMs + (received === null ? 2 : 1) * TRIAL_MS);
}

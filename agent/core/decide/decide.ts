import { alert } from '../alerts/alert.ts';
import { arrivalPart } from './arrivals.ts';
import { addressAlerts, pairAlerts } from './alerts.ts';
import type { AddressVerdict, Decision, Part, Recalled } from './decision.ts';
import type { Memory } from './memory.ts';
import { fencePart } from './fence.ts';
import { grantFor, takeFor } from './handshake.ts';
import { pinKey, wish } from '../intents.ts';
import type { AddressReport } from '../model.ts';
import { owner } from './owner.ts';
import type { View } from './view.ts';
import { isCutOff, isInTouch } from '../peers.ts';
import { explain } from './reasons.ts';
import { commanded, gained, remember } from './remember.ts';
import { advskewFor } from './lowering.ts';
import { stepOutDueMs, stepOutFor } from './step-out.ts';
import { isIsolated, type Situation } from './situation.ts';
import { FORCE_INTERVAL_MS, ISOLATED_MS, OVERLAP_MS } from '../timing.ts';

export type Decide = typeof decide;

/**
 * The whole policy of moving addresses: same view, memory and time in, same
 * decision out. Level-triggered: it compares what is with what should be, so a
 * restart at any point resumes by itself.
 */
export function decide(view: View, before: Memory, nowMs: number): Decision {
  const known = view.nodes.find(({ node }) => node === view.self)?.report ?? null;
  const nothing = { actions: [], verdicts: [], alerts: [], changes: [], advertsLost: false };
  if (known === null) return { ...nothing, memory: before, wakeAtMs: null };
  const remembered = remember(view, known, before, nowMs);
  const told = known.addresses.map((reading) => {
    const recalled = recall(reading, view, remembered, nowMs);
    const advertsLost = remembered.lost !== null;
    return { recalled, mine: { ...reading, ...recalled, advertsLost } };
  });
  const me = { ...known, addresses: told.map(({ mine }) => mine) };
  const here = withSelf(view, me);
  const fence = fencePart(here, me, remembered, nowMs);

  const arrival = arrivalPart(here, me, before, fence.memory, nowMs);

  let { memory } = arrival;
  const actions = [...fence.actions];
  const alerts = [...fence.alerts, ...pairAlerts(here, me, memory, nowMs)];
  const verdicts: AddressVerdict[] = [];
  const counted = new Set<string>();
  let wakeAtMs = earliest(fence.wakeAtMs, earliest(arrival.wakeAtMs, isolationDue(memory)));
  for (const { mine, recalled } of told) {
    const ownership = owner(mine.address, here, nowMs);
    const masters = ownership.candidates.filter(({ isMaster }) => isMaster);
    const at = { view: here, me, mine, ownership, masters, memory, nowMs, keeper: fence.keeper };
    if (counts(at)) counted.add(mine.address);
    const part = decideAddress(at);
    memory = part.memory ?? memory;
    actions.push(...(part.actions ?? []));
    alerts.push(...(part.alerts ?? []), ...addressAlerts(at));
    wakeAtMs = earliest(wakeAtMs, earliest(part.wakeAtMs ?? null, future(stepOutDueMs(at), nowMs)));
    verdicts.push({
      address: mine.address,
      owner: ownership.owner?.node ?? null,
      yieldTo: part.yieldTo ?? null,
      reason: part.reason,
      ...recalled,
    });
  }
  // Last: an address that is still to be taken does not wait for it.
  actions.push(...arrival.actions);
  memory = commanded(memory, actions, (address) => counted.has(address), nowMs);
  const changes = gained(before, me, view);
  const advertsLost = memory.lost !== null;
  return { actions, verdicts, alerts, memory, changes, advertsLost, wakeAtMs };
}

const earliest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);

const future = (atMs: number | null, nowMs: number): number | null =>
  atMs !== null && atMs > nowMs ? atMs : null;

const isolationDue = ({ isolatedSinceMs }: Memory): number | null =>
  isolatedSinceMs === null ? null : isolatedSinceMs + ISOLATED_MS;

/** What memory adds to the own reading; the rules see it, and the report of this round carries the same. */
const recall = (
  { address, network }: AddressReport,
  { paths }: View,
  { known, moves, silence }: Memory,
  nowMs: number,
): Recalled => ({
  byHand: known.get(address)?.byHand ?? false,
  cutOff: isCutOff(silence.get(network), nowMs),
  inTouch: isInTouch(paths, network, silence.get(network), nowMs),
  movesAtMs: moves.get(address) ?? [],
});

const withSelf = (view: View, me: Situation['me']): View => ({
  ...view,
  nodes: view.nodes.map((one) => (one.node === view.self ? { ...one, report: me } : one)),
});

/** A take now would be a failback or a move for degraded health: the budget counts it. */
function counts({ ownership, view, mine, masters }: Situation): boolean {
  if (masters.length === 0 || wish(view.intents, pinKey(mine.address), view.wallMs) !== null)
    return false;
  return ownership.place?.counts === true;
}

/** The first rule that has a word on this address decides. */
function decideAddress(at: Situation): Part {
  const { mine, me } = at;
  if (mine.state === 'INIT')
    return {
      reason: me.fenced
        ? `${mine.address} is fenced here: ${at.keeper ?? 'another node'} keeps it`
        : 'INIT here: link down, no address or net.inet.carp.allow=0',
    };
  const alarm = forbidden(at);
  if (alarm !== null) return { reason: alarm, alerts: [alert('carp-config', mine.address, alarm)] };
  return (
    stepOutFor(at) ??
    grantFor(at) ??
    takeFor(at) ??
    advskewFor(at) ??
    advertiseFor(at) ?? {
      reason: isIsolated(at) ? `${mine.address} is held alone: nobody answers` : explain(at),
    }
  );
}

/** Two MASTERs beyond the overlap of a move: the owner's advert at once makes the other yield. */
function advertiseFor(at: Situation): Part | null {
  const { mine, ownership, view, memory, nowMs } = at;
  const sinceMs = memory.overlaps.get(mine.address);
  if (sinceMs === undefined || mine.state !== 'MASTER') return null;
  if (ownership.owner?.node !== view.self) return null;
  const due = Math.max(
    sinceMs + OVERLAP_MS,
    memory.advertisedAtMs === null ? 0 : memory.advertisedAtMs + FORCE_INTERVAL_MS,
  );
  if (nowMs < due) return { reason: explain(at), wakeAtMs: due };
  const text = `more than one MASTER for ${mine.address}; ${view.self} advertises at once`;
  return {
    reason: text,
    actions: [{ kind: 'advertise', reason: text }],
    memory: { ...memory, advertisedAtMs: nowMs },
    wakeAtMs: nowMs + FORCE_INTERVAL_MS,
  };
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

import type { Action } from './decision.ts';
import type { Arrival, Memory } from './memory.ts';
import type { AddressReport, NodeReport } from '../model.ts';
import { put } from './situation.ts';
import { ADVERT_AGAIN_MS, ARRIVAL_MS } from '../timing.ts';
import type { View } from './view.ts';

/** Adverts that are due because an address came here; for the host, not for one address. */
export interface ArrivalPart {
  readonly memory: Memory;
  readonly actions: readonly Action[];
  readonly wakeAtMs: number | null;
}

/**
 * The last advert of the old MASTER may leave after the first of the new one:
 * a switch then sends the virtual MAC to the old host until the next advert, a
 * second or more. So the new one advertises once the old one says that it is
 * none any more, and again ADVERT_AGAIN_MS later; once after that time where
 * the old one is not heard. Two for each time that another was MASTER, no more.
 */
export function arrivalPart(
  view: View,
  me: NodeReport,
  before: Memory,
  memory: Memory,
  nowMs: number,
): ArrivalPart {
  let { arrivals } = memory;
  let wakeAtMs: number | null = null;
  const due: string[] = [];
  for (const mine of me.addresses) {
    const { address } = mine;
    const arrival = arrivalOf(view, mine, before, memory, nowMs);
    const dueMs = arrival === null ? null : advertDueMs(view, address, arrival);
    let next = arrival;
    if (arrival !== null && dueMs !== null && nowMs >= dueMs) {
      due.push(address);
      const isLast = arrival.toldAtMs !== null || !isHeard(view, arrival.from);
      next = isLast ? null : { ...arrival, toldAtMs: nowMs };
    }
    const wake = next === null ? null : advertDueMs(view, address, next);
    if (wake !== null) wakeAtMs = Math.min(wakeAtMs ?? Infinity, wake);
    arrivals = put(arrivals, address, next);
  }
  const reason = `${due.join(', ')}: advertised once more, so that every switch knows where it is`;
  return {
    memory: { ...memory, arrivals },
    actions: due.length === 0 ? [] : [{ kind: 'advertise', reason }],
    wakeAtMs,
  };
}

/** What is still to be told of the address; null: nothing. */
function arrivalOf(
  view: View,
  { address, state }: AddressReport,
  before: Memory,
  { arrivals, holders }: Memory,
  nowMs: number,
): Arrival | null {
  if (state !== 'MASTER') return null;
  const rival = view.nodes.find(
    ({ node, fresh, report }) => node !== view.self && fresh && isMasterThere(report, address),
  );
  if (rival !== undefined) return { from: rival.node, sinceMs: nowMs, toldAtMs: null };
  const known = arrivals.get(address);
  if (known !== undefined) return nowMs - known.sinceMs < ARRIVAL_MS ? known : null;
  const was = before.known.get(address);
  const from = holders.get(address);
  const came = was !== undefined && was.state !== 'MASTER';
  return came && from !== undefined ? { from, sinceMs: nowMs, toldAtMs: null } : null;
}

/** When the next of them is due; null: while the old one still says that it is MASTER. */
function advertDueMs(view: View, address: string, arrival: Arrival): number | null {
  const { from, sinceMs, toldAtMs } = arrival;
  if (toldAtMs !== null) return toldAtMs + ADVERT_AGAIN_MS;
  const old = view.nodes.find(({ node }) => node === from);
  if (old === undefined || !old.fresh) return sinceMs + ADVERT_AGAIN_MS;
  return isMasterThere(old.report, address) ? null : sinceMs;
}

const isHeard = (view: View, node: string): boolean =>
  view.nodes.some((one) => one.node === node && one.fresh);

const isMasterThere = (report: NodeReport | null, address: string): boolean =>
  report?.addresses.some((one) => one.address === address && one.state === 'MASTER') ?? false;

import type { Intents } from '../intents.ts';
import { owner } from './owner.ts';
import type { View } from './view.ts';

/** An address that would go elsewhere. */
export interface Foreseen {
  readonly address: string;
  /** The one MASTER now; null: none, or several. */
  readonly from: string | null;
  readonly to: string;
}

/**
 * The moves that other intents would lead to within `hold`, if nothing else changes: those that
 * would come without them too are not among them. Nothing is touched.
 */
export function forecast(view: View, intents: Intents, nowMs: number): Foreseen[] {
  const laterMs = nowMs + view.policy.holdMs;
  const reports = view.nodes.flatMap(({ fresh, report }) =>
    fresh && report !== null ? [report] : [],
  );
  const ids = [
    ...new Set(reports.flatMap(({ addresses }) => addresses.map(({ address }) => address))),
  ].sort();
  return ids.flatMap((address): Foreseen[] => {
    const masters = reports.filter((report) =>
      report.addresses.some((one) => one.address === address && one.state === 'MASTER'),
    );
    const from = masters.length === 1 ? (masters[0]?.node ?? null) : null;
    const to = owner(address, { ...view, intents }, laterMs).owner?.node ?? null;
    const anyway = owner(address, view, laterMs).owner?.node ?? null;
    return to === null || to === from || to === anyway ? [] : [{ address, from, to }];
  });
}

/**
 * Why an address that is MASTER on `node` alone would leave it again within `hold` under these
 * intents, if nothing else changes, as a sentence for "it would not stay: ..."; null: it would stay.
 */
export function leavingAgain(
  view: View,
  intents: Intents,
  { address, node }: { readonly address: string; readonly node: string },
  nowMs: number,
): string | null {
  const nodes = view.nodes.map((one) => {
    if (one.report === null) return one;
    const addresses = one.report.addresses.map((mine) =>
      mine.address === address && mine.state !== 'INIT'
        ? { ...mine, state: one.node === node ? ('MASTER' as const) : ('BACKUP' as const) }
        : mine,
    );
    return { ...one, report: { ...one.report, addresses } };
  });
  const then: View = { ...view, nodes, intents };
  const { owner: chosen, place, over } = owner(address, then, nowMs + view.policy.holdMs);
  if (chosen === null || place === null || over === null || chosen.node === node) return null;
  return place.says({ chosen, other: over, view: then });
}

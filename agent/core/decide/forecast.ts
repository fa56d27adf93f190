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

import type { NodeReport } from './core/model.ts';
import type { InterfaceReading } from './loop/observe.ts';

/** The host's own ADDRESS/LENGTH on the interface of each network of its report. */
export function subnetsOf(
  interfaces: readonly InterfaceReading[],
  report: NodeReport | null,
): ReadonlyMap<string, readonly string[]> {
  const named = (report?.addresses ?? []).map(
    ({ network, interface: name }) =>
      [network, interfaces.find((one) => one.interface === name)?.addresses ?? []] as const,
  );
  return new Map(named);
}

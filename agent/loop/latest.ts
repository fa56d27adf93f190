import type { NodeReport } from '../core/model.ts';
import type { InterfaceReading } from './observe.ts';

/** What the latest round of the loop found, for parts that are made before the loop: nothing at first. */
export interface Latest {
  readonly report: () => NodeReport | null;
  /** The host's own addresses as last read. */
  readonly interfaces: () => readonly InterfaceReading[];
}

/** Only the loop's own report calls `found`. */
export function latestRound(): Latest & {
  found(report: NodeReport, interfaces: readonly InterfaceReading[]): void;
} {
  let report: NodeReport | null = null;
  let interfaces: readonly InterfaceReading[] = [];
  return {
    report: () => report,
    interfaces: () => interfaces,
    found(nowReport, nowInterfaces): void {
      report = nowReport;
      interfaces = nowInterfaces;
    },
  };
}

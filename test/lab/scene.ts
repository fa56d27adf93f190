import type { HostPlan, LabPlan } from './plan.ts';

/** What one fault works with on one host. */
export interface Scene {
  readonly plan: LabPlan;
  readonly host: HostPlan;
  readonly on: boolean;
  readonly root: boolean;
  /** Given with --value; null: the fault's own. */
  readonly value: number | null;
  /** Starts what should run on the host and does not. */
  readonly ensure: (program: string) => Promise<void>;
  readonly signal: (program: string, signal: NodeJS.Signals) => Promise<void>;
  /** Ends every process of the host but its kernel; resolves when none is left. */
  readonly endAll: () => Promise<void>;
  /** Runs a script of the lab's own on the host, until it is killed by that name. */
  readonly helper: (name: string, argv: readonly string[]) => void;
}

import type { DeployState } from './deployments.ts';

/** What one node has of the configurations that were pushed. */
export interface NodeVersions {
  readonly node: string;
  /** Why it does not say; empty: it does. */
  readonly problem: string;
  readonly state: DeployState | null;
}

/** The same of every configured node. */
export interface ConfigVersions {
  /** The node that was asked. */
  readonly node: string;
  readonly nodes: readonly NodeVersions[];
}

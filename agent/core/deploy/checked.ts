import type { DeployAnswer } from './deployments.ts';

/** What one node makes of a configuration that is to be checked. */
export interface NodeCheck {
  readonly node: string;
  /** Why it was not asked or did not answer; empty: it did. */
  readonly problem: string;
  /** Null: it did not answer. */
  readonly answer: DeployAnswer | null;
}

/** What every configured node makes of it. */
export interface ConfigChecked {
  /** The node that was asked. */
  readonly node: string;
  readonly nodes: readonly NodeCheck[];
}

export const DEPLOY_KINDS = ['done', 'refused', 'unsound', 'failed', 'unknown'] as const;

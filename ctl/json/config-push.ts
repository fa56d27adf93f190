import type { NodeVersions } from '../../agent/core/deploy/versions.ts';
import type { ActResult } from '../../agent/core/results.ts';

/** The `result` of `config push`. */
export interface ConfigPushJson {
  /** Null: it did not come so far. */
  readonly number: number | null;
  readonly nodes: readonly { readonly node: string; readonly outcome: string }[];
}

export const configPushResult = ({ config }: Pick<ActResult, 'config'>): ConfigPushJson => ({
  number: config?.number ?? null,
  nodes: (config?.nodes ?? []).map(({ node, outcome }) => ({ node, outcome })),
});

/** The `result` of `config history`. */
export interface ConfigHistoryJson {
  readonly nodes: readonly {
    readonly node: string;
    /** Null: it does not say. */
    readonly state: 'none' | 'pending' | 'kept' | 'back' | null;
    /** What is on disk now is not what was pushed last, or put back. */
    readonly changed: boolean | null;
    readonly versions: readonly {
      readonly number: number;
      readonly who: string;
      readonly made_at: string;
      readonly installed_at: string;
      readonly reason: string;
      readonly digest: string;
    }[];
  }[];
}

export const configHistoryResult = (nodes: readonly NodeVersions[]): ConfigHistoryJson => ({
  nodes: nodes.map(({ node, state }) => ({
    node,
    state: state?.state ?? null,
    changed: state === null ? null : isChanged(state),
    versions: (state?.versions ?? []).map((one) => ({
      number: one.number,
      who: one.who,
      made_at: at(one.madeS),
      installed_at: at(one.installedS),
      reason: one.reason,
      digest: one.digest,
    })),
  })),
});

/** Somebody has changed it since, past the agents. */
export function isChanged({
  digest,
  state,
  versions,
}: NonNullable<NodeVersions['state']>): boolean {
  const [newest] = versions;
  if (newest === undefined || state === 'none') return false;
  return digest !== (state === 'back' ? newest.before : newest.digest);
}

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();

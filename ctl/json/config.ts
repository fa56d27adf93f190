import type { ConfigChanges } from '../../agent/core/haproxy-config/changes.ts';
import type { NodeConfig } from '../../agent/core/haproxy-config/reading.ts';
import type { ConfigDiff } from '../config/verbs.ts';

type Parts = ConfigChanges['gone'];

/** The `result` of `config diff`. */
export interface ConfigDiffJson {
  readonly comparisons: readonly {
    readonly from: string;
    readonly to: string;
    readonly differs: boolean;
    readonly text_differs: boolean;
    readonly diff: string;
    readonly added: Parts;
    readonly gone: Parts;
    readonly moved: ConfigChanges['moved'];
    readonly sections: readonly string[];
    readonly sessions: readonly {
      readonly node: string;
      readonly server: string;
      readonly sessions: number;
    }[];
    readonly wishes: readonly {
      readonly server: string;
      readonly wish: string;
      readonly actor: string;
    }[];
  }[];
  readonly secrets_compared: boolean;
  readonly unknown: string | null;
}

/** Each comparison, what it means, and what is not known. */
export const configDiffResult = (diff: ConfigDiff): ConfigDiffJson => ({
  comparisons: diff.comparisons.map(
    ({ from, to, changes, textDiffers, diff, sessions, wishes }) => ({
      from: from.name,
      to: to.name,
      differs: changes.differs,
      text_differs: textDiffers,
      diff,
      added: changes.added,
      gone: changes.gone,
      moved: changes.moved,
      sections: changes.sections,
      sessions,
      wishes,
    }),
  ),
  secrets_compared: diff.secretsCompared,
  unknown: diff.unknown === '' ? null : diff.unknown,
});

/** The `result` of `config show`. */
export interface ConfigShowJson {
  readonly nodes: readonly {
    readonly node: string;
    readonly version: string | null;
    readonly loaded: boolean | null;
    readonly why: string | null;
    readonly started_at: string | null;
    readonly files: readonly {
      readonly path: string;
      readonly changed_at: string;
      readonly text: string;
    }[];
    readonly problems: readonly string[];
    readonly notes: readonly string[];
  }[];
}

/** Null is what is not known. */
export const configShowResult = (nodes: readonly NodeConfig[]): ConfigShowJson => ({
  nodes: nodes.map(({ node, version, loaded, why, startedAt, files, problems, notes }) => ({
    node,
    version: orNull(version),
    loaded: loaded === 'unknown' ? null : loaded === 'yes',
    why: orNull(why),
    started_at: orNull(startedAt),
    files: files.map(({ path, text, changedAt }) => ({ path, changed_at: changedAt, text })),
    problems,
    notes,
  })),
});

const orNull = (text: string): string | null => (text === '' ? null : text);

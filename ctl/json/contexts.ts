/** A context of config.toml. */
export interface ContextJson {
  readonly name: string;
  readonly current: boolean;
  readonly agents: readonly string[];
}

/** The `result` of `context list`. */
export interface ContextsJson {
  readonly file: string;
  readonly contexts: readonly ContextJson[];
}

/** The contexts of `file`, in its order. */
export const contextsResult = (file: string, contexts: readonly ContextJson[]): ContextsJson => ({
  file,
  contexts: contexts.map(({ name, current, agents }) => ({ name, current, agents })),
});

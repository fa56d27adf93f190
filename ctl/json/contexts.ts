import type { Imported, Kept, Shown } from '../contexts/verbs.ts';
import type { NodeRow } from './envelope.ts';

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

/** The `result` of `context add`, `use` and `remove`. */
export const keptResult = ({ file, name, current }: Kept) => ({ file, name, current });

const time = (ms: number): string => new Date(ms).toISOString();

/** The `result` of `context import`. */
export const importedResult = (imported: Imported) => ({
  ...keptResult(imported),
  who: imported.who,
  not_after: time(imported.notAfterMs),
  tried: imported.tried.map(({ node, address, version, tookMs, problem }) => ({
    node,
    address,
    version,
    took_ms: tookMs,
    problem,
  })),
});

/** A row for each agent; it is well where one of its addresses answered. */
export const triedRows = ({ tried }: Pick<Imported, 'tried'>): NodeRow[] =>
  [...new Set(tried.map(({ node }) => node))].map((node) => {
    const own = tried.filter((one) => one.node === node);
    if (own.some(({ problem }) => problem === '')) return { node, ok: true, changed: false };
    return {
      node,
      ok: false,
      changed: false,
      error: {
        code: 'agent_unreachable',
        message: own.map(({ problem }) => problem).join('; '),
        cause: '',
        remediation: `on ${node}: service proxyagent status`,
        retryable: true,
      },
    };
  });

/** The `result` of `context show`. */
export const shownResult = (shown: Shown) => ({
  ...keptResult(shown),
  agents: shown.agents.map(({ node, address }) => ({ node, address })),
  ca: shown.files?.ca ?? null,
  cert: shown.files?.cert ?? null,
  key: shown.files?.key ?? null,
  who: shown.who,
  not_after: shown.notAfterMs === null ? null : time(shown.notAfterMs),
});

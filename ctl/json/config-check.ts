import type { NodeCheck } from '../../agent/core/deploy/checked.ts';
import { wordOf } from '../deploy/verdict.ts';
import { AGENT } from './answer.ts';
import type { NodeRow } from './envelope.ts';

/** The `result` of `config check`. */
export interface ConfigCheckJson {
  readonly nodes: readonly {
    readonly node: string;
    /** Null: it did not answer. */
    readonly verdict: 'taken' | 'refused' | 'unsound' | 'failed' | 'unknown' | null;
    readonly why: string;
    readonly lines: readonly string[];
  }[];
}

export const configCheckResult = (nodes: readonly NodeCheck[]): ConfigCheckJson => ({
  nodes: nodes.map((one) => {
    const word = wordOf(one);
    return {
      node: one.node,
      verdict: word === 'missing' ? null : word,
      why: whyNot(one),
      lines: linesOf(one),
    };
  }),
});

/** The row of a node in the envelope. */
export function checkRow(one: NodeCheck): NodeRow {
  const { node, answer } = one;
  const ok = answer?.kind === 'done';
  return {
    node,
    ok,
    changed: false,
    ...(ok
      ? {}
      : {
          error: {
            code: answer === null ? 'agent_unreachable' : `config_${answer.kind}`,
            message: whyNot(one),
            cause: '',
            remediation: remedyOf(one),
            retryable: answer === null || answer.kind === 'unknown',
          },
        }),
  };
}

/** Why a node does not take it; empty where it does. */
export const whyNot = ({ answer, problem }: NodeCheck): string =>
  answer === null ? problem : answer.kind === 'done' ? '' : answer.why;

/** What its HAProxy printed. */
export const linesOf = ({ answer }: NodeCheck): readonly string[] =>
  answer !== null && 'lines' in answer ? answer.lines : [];

function remedyOf({ node, answer }: NodeCheck): string {
  if (answer?.kind === 'unsound') return 'mend what the lines name, or what they miss on the host';
  if (answer?.kind === 'refused') return 'see deploy of [haproxy] in proxyctl-agent.toml(5)';
  return `on ${node}: ${AGENT}`;
}

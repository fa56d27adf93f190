import { envelopeText, type Envelope, type NodeRow } from './envelope.ts';

/** What to look at where an agent, or an agent's HAProxy, gave no answer. */
export const AGENT = 'service proxyagent status';
export const AGENT_AND_HAPROXY = `${AGENT}; service haproxy status`;

/** The envelope of a reading that was answered. */
export const answerText = (
  verb: string,
  answeredBy: string,
  { requestId, tookMs }: Pick<Envelope, 'requestId' | 'tookMs'>,
  result: object,
  nodes: readonly NodeRow[] = [],
): string =>
  envelopeText({
    verb,
    ok: true,
    changed: false,
    requestId,
    answeredBy,
    tookMs,
    result,
    nodes,
    error: null,
  });

/** The row of a node that was asked; `problem`: why it gave no answer, empty where it did. */
export const askedRow = (
  { node, problem }: { readonly node: string; readonly problem: string },
  code: string,
  look: string,
): NodeRow => ({
  node,
  ok: problem === '',
  changed: false,
  ...(problem === ''
    ? {}
    : {
        error: {
          code,
          message: problem,
          cause: '',
          remediation: `on ${node}: ${look}`,
          retryable: true,
        },
      }),
});

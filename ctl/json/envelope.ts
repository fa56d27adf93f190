import type { ActError, ActResult } from '../../agent/core/results.ts';
import type { Status } from '../../agent/core/answers.ts';
import { isHeard } from '../../agent/core/heard.ts';

export interface NodeRow {
  readonly node: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly error?: ReturnType<typeof errorOf>;
  readonly [more: string]: unknown;
}

export interface Envelope {
  readonly verb: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly requestId: string;
  readonly answeredBy: string | null;
  readonly tookMs: number;
  readonly result: unknown;
  readonly nodes: readonly NodeRow[];
  readonly error: ActError | null;
}

/** One envelope as one line; docs/json.md describes every key. */
export function envelopeText(envelope: Envelope): string {
  const { requestId, answeredBy, tookMs, error, ...rest } = envelope;
  const { verb, ok, changed, result, nodes } = rest;
  return `${JSON.stringify({
    schema: 'proxyctl/v1',
    verb,
    ok,
    changed,
    request_id: requestId,
    answered_by: answeredBy,
    took_ms: Math.round(tookMs),
    result,
    nodes,
    ...(error === null ? {} : { error: { ...errorOf(error), request_id: requestId } }),
  })}\n`;
}

const errorOf = ({ code, message, cause, remediation, retryable }: ActError) => ({
  code,
  message,
  cause,
  remediation,
  retryable,
});

/**
 * The rows per node of an act. A move's also say what a status read afterwards
 * says of the first address; null where it was not read.
 */
export function nodeRows(result: ActResult, move: { readonly after: Status | null } | null) {
  const [address] = result.addresses;
  return result.nodes.map(({ node, ok, changed, error }): NodeRow => {
    const status = move?.after?.nodes.find((one) => one.node === node);
    const reading =
      status === undefined || !isHeard(status)
        ? undefined
        : status.report?.addresses.find((one) => one.address === address?.address);
    return {
      node,
      ok,
      changed,
      ...(move === null
        ? {}
        : {
            state: reading?.state ?? null,
            advskew: reading?.advskew ?? null,
            base_advskew: reading?.baseAdvskew ?? null,
          }),
      ...(error === null ? {} : { error: errorOf(error) }),
    };
  });
}

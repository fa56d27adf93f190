import type { ActError, ActResult } from '../../agent/core/results.ts';
import type { Status } from '../../agent/core/answers.ts';
import { isHeard } from '../../agent/core/heard.ts';

/** Why something was not done. */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly cause: string;
  readonly remediation: string;
  readonly retryable: boolean;
}

/** What a node that was moved to or from has of the first address; null: not read. */
interface ReadAfterwards {
  readonly state: string | null;
  readonly advskew: number | null;
  readonly base_advskew: number | null;
}

/** One configured node that the act concerned. */
export interface NodeRow extends Partial<ReadAfterwards> {
  readonly node: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly error?: ErrorJson;
}

export interface Envelope {
  readonly verb: string;
  readonly ok: boolean;
  readonly changed: boolean;
  readonly requestId: string;
  readonly answeredBy: string | null;
  readonly tookMs: number;
  readonly result: object | null;
  readonly nodes: readonly NodeRow[];
  readonly error: ActError | null;
  /** What an exit 6 is about; absent or empty: none. */
  readonly incomplete?: readonly string[];
}

/** One envelope as one line; docs/json.md describes every key. */
export function envelopeText(envelope: Envelope): string {
  const { verb, ok, changed, requestId, answeredBy, tookMs, result, nodes, error } = envelope;
  const { incomplete = [] } = envelope;
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
    ...(incomplete.length === 0 ? {} : { incomplete }),
    ...(error === null ? {} : { error: { ...errorOf(error), request_id: requestId } }),
  })}\n`;
}

const errorOf = ({ code, message, cause, remediation, retryable }: ActError): ErrorJson => ({
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

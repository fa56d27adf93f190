import type { ShowAnswer } from '../core/show-commands.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { filled } from './fields.ts';

/** Replies of every node's HAProxy as they travel, a message a node: each fits one of gRPC's. */
export function* showAnswerToWire({
  node,
  nodes,
}: ShowAnswer): Generator<proxyctl.v1.ShowCommandReply.$Properties> {
  for (const { bytes, ...one } of nodes) yield { answeredBy: node, ...one, text: bytes };
}

/** The same on arrival; throws WireError. */
export const showAnswerFromWire = (
  pieces: readonly proxyctl.v1.ShowCommandReply[],
): ShowAnswer => ({
  node: filled('answered_by', pieces[0]?.answeredBy ?? ''),
  nodes: pieces.map(({ node, problem, text, cut }) => ({
    node: filled('node', node),
    problem,
    bytes: text,
    cut,
  })),
});

import type { proxyctl } from '../../proto/gen/messages.js';
import type { LinesAnswer } from '../core/lines.ts';
import { filled } from './fields.ts';

/** So many characters of lines travel in one message, or one line. */
const PART = 512 << 10;

/** A part of what was found, as every verb of lines sends it. */
type Part = proxyctl.v1.AuditReply | proxyctl.v1.EventsReply;

/** Everything that was found, part by part. */
export function* linesToWire({
  node,
  nodes,
  lines,
}: LinesAnswer): Generator<
  proxyctl.v1.AuditReply.$Properties & proxyctl.v1.EventsReply.$Properties
> {
  yield { node, nodes: [...nodes] };
  let part: { node: string; line: string }[] = [];
  let length = 0;
  for (const one of lines) {
    part.push(one);
    length += one.line.length;
    if (length < PART) continue;
    yield { node, lines: part };
    [part, length] = [[], 0];
  }
  if (part.length > 0) yield { node, lines: part };
}

/** All parts together; throws WireError. */
export const linesFromWire = (parts: readonly Part[]): LinesAnswer => ({
  node: filled('node', parts[0]?.node ?? ''),
  nodes: parts
    .flatMap(({ nodes }) => nodes)
    .map(({ node, problem, leftOut }, at) => ({
      node: filled(`nodes[${at}].node`, node),
      problem,
      leftOut,
    })),
  lines: parts.flatMap(({ lines }) => lines).map(({ node, line }) => ({ node, line })),
});

import type { LinesAnswer } from '../../agent/core/lines.ts';
import { AGENT, askedRow } from '../json/answer.ts';
import { envelopeText } from '../json/envelope.ts';
import { linesMissing } from '../render/audit.ts';
import type { CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import type { Told } from './follow.ts';

/**
 * Prints what a record's lines say, as JSON or as text, and which nodes are missing; the exit code.
 * A node without the verb has the error VERB_unknown.
 */
export function shownLines(
  verb: 'audit' | 'events',
  { output }: Pick<CommonOptions, 'output'>,
  io: Streams,
  { node, nodes }: LinesAnswer,
  { requestId, tookMs }: Told,
  found: { readonly result: object; readonly text: string },
): number {
  const all = nodes.every(({ problem }) => problem === '');
  if (output === 'json')
    io.out(
      envelopeText({
        verb,
        ok: all,
        changed: false,
        requestId,
        answeredBy: node,
        tookMs,
        result: found.result,
        nodes: nodes.map((one) => askedRow(one, `${verb}_unknown`, AGENT)),
        error: null,
        incomplete: all ? [] : ['nodes'],
      }),
    );
  else {
    const text = `${found.text}${linesMissing({ nodes })}`;
    io.out(text === '' ? 'Nothing is on record for that.\n' : text);
  }
  return all ? 0 : 6;
}

import type { proxyctl } from '../../proto/gen/messages.js';
import { DEPLOY_KINDS, type ConfigChecked, type NodeCheck } from '../core/deploy/checked.ts';
import { MOST_MESSAGE_BYTES } from '../core/deploy/deployment.ts';
import type { DeployAnswer } from '../core/deploy/deployments.ts';
import { enumOrUnknown, enumValue, filled, present, WireError } from './fields.ts';

const MOST_LINES = 200;
const LONGEST_LINE = 1000;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** A signed configuration on arrival, of any content; throws WireError where it can be none. */
export function messageFromWire(message: Uint8Array): Uint8Array {
  if (message.length === 0) throw new WireError('message', 'missing');
  if (message.length > MOST_MESSAGE_BYTES)
    throw new WireError(
      'message',
      `${message.length} bytes, at most ${MOST_MESSAGE_BYTES} are taken`,
    );
  return message;
}

/** What became of a signed configuration on a host, as it travels. */
export const deployAnswerToWire = (answer: DeployAnswer): proxyctl.v1.DeployAnswer.$Properties => ({
  kind: enumValue(answer.kind, DEPLOY_KINDS),
  why: answer.kind === 'done' ? '' : answer.why,
  lines: 'lines' in answer ? [...answer.lines] : [],
});

/** The same on arrival, fit for a terminal; throws WireError. */
export function deployAnswerFromWire(
  wire: proxyctl.v1.DeployAnswer.$Properties | null | undefined,
): DeployAnswer {
  const { kind, why: said, lines: all } = present('answer', wire);
  const why = shown(said ?? '');
  const lines = (all ?? []).slice(0, MOST_LINES).map(shown);
  const word = enumOrUnknown(kind ?? 0, DEPLOY_KINDS);
  if (word === 'done') return { kind: word, lines };
  return word === 'unsound' ? { kind: word, why, lines } : { kind: word, why };
}

const shown = (text: string): string => text.replaceAll(CONTROL, '?').slice(0, LONGEST_LINE);

/** What every node makes of a configuration, a message a node. */
export function* configCheckedToWire({
  node: answeredBy,
  nodes,
}: ConfigChecked): Generator<proxyctl.v1.CheckConfigReply.$Properties> {
  for (const { node, problem, answer } of nodes)
    yield {
      answeredBy,
      node,
      problem,
      ...(answer === null ? {} : { answer: deployAnswerToWire(answer) }),
    };
}

/** The same on arrival; throws WireError. */
export const configCheckedFromWire = (
  pieces: readonly proxyctl.v1.CheckConfigReply[],
): ConfigChecked => ({
  node: filled('answered_by', pieces[0]?.answeredBy ?? ''),
  nodes: pieces.map(({ node, problem, answer }): NodeCheck => ({
    node: filled('node', node),
    problem: shown(problem),
    answer: problem === '' ? deployAnswerFromWire(answer) : null,
  })),
});

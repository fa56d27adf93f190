import { timeOfLine, type LinePage, type LinesAnswer } from '../core/lines.ts';
import type { Member } from '../core/member.ts';
import { askAll } from './ask-all.ts';
import { clockOff } from './history.ts';
import type { Pair } from './pair.ts';

/**
 * The lines of a record that every node keeps. They stand in the order in which things happened,
 * by this node's clock, and keep the time of their own. A node that does not answer says why.
 */
export async function linesOfAll(
  pair: Pair,
  members: readonly Member[],
  limit: number,
  read: (member: Member) => Promise<LinePage>,
): Promise<LinesAnswer> {
  const parts = await askAll(pair, members, NO_LINES, read);
  const lines = parts.flatMap(({ node, lines: of }) => {
    const off = clockOff(pair, node);
    return of.map((line) => ({ node, line, atMs: Date.parse(timeOfLine(line)) - off }));
  });
  // A line without a time stays where its file has it: behind the one before it.
  lines.sort((a, b) => a.atMs - b.atMs || 0);
  return {
    node: pair.node,
    nodes: parts.map(({ node, problem, leftOut }) => ({ node, problem, leftOut })),
    lines: lines.slice(-limit).map(({ node, line }) => ({ node, line })),
  };
}

const NO_LINES: LinePage = { lines: [], leftOut: '' };

import type { NodeCheck } from '../../agent/core/deploy/checked.ts';

/** What came of one node, as a word: `missing` where it did not answer. */
export const wordOf = ({ answer }: NodeCheck) =>
  answer === null ? 'missing' : answer.kind === 'done' ? 'taken' : answer.kind;

/** 0: every node takes it; 1: one does not; 6: one did not answer. */
export function checkExit(nodes: readonly NodeCheck[]): 0 | 1 | 6 {
  const words = nodes.map(wordOf);
  if (words.some((word) => word === 'refused' || word === 'unsound' || word === 'failed')) return 1;
  return words.every((word) => word === 'taken') ? 0 : 6;
}

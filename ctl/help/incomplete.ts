import type { ActResult } from '../../agent/core/results.ts';

/** What an exit 6 is about; docs/json.md lists them. */
export type Incomplete = 'nodes' | 'sessions' | 'checks' | 'addresses';

/** By the word of an error; every other one says that a node has not done it. */
const BY_CODE: Readonly<Record<string, Incomplete>> = {
  sessions_left: 'sessions',
  sessions_not_counted: 'sessions',
  check_not_passed: 'checks',
  not_finished: 'addresses',
};

/** What is missing of an act that ended `partial`, each once; empty for every other end. */
export function incompleteOf({ outcome, error, nodes }: ActResult): Incomplete[] {
  if (outcome !== 'partial') return [];
  const errors = [error, ...nodes.map((one) => one.error)].filter((one) => one !== null);
  const words = new Set(errors.map(({ code }): Incomplete => BY_CODE[code] ?? 'nodes'));
  return words.size === 0 ? ['nodes'] : [...words].sort();
}

/** The last line of such an act, so that sessions that are left do not read like a node that is away. */
export function incompleteText(words: readonly Incomplete[]): string {
  if (words.includes('nodes'))
    return 'proxyctl: done on some nodes only; the others catch up when they are back';
  return words.includes('sessions') ? 'proxyctl: in force; only sessions are left, or may be' : '';
}

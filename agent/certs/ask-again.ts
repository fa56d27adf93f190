import { ALL_MS, askAll, ownText } from './ask-all.ts';
import type { Asked, SwapEntry } from './entry.ts';
import type { NodeSwapParts } from './port.ts';

/** A question with what it is answered now. */
export interface Answer extends Asked {
  readonly shown: string | null;
  /** Why nothing was shown. */
  readonly failure: unknown;
}

interface Wanted {
  /** The SHA-1 that is to be shown; null: nothing is expected. */
  readonly expected: (question: Asked) => string | null;
  /** What HAProxy has by path, of the certificates of the swap. */
  readonly held: ReadonlyMap<string, string>;
  /** What is committed again for a certificate of the swap, to bring its names behind the others. */
  readonly pemOf: (path: string) => string | null;
}

/** Longer than any chain of certificates that hide each other and stand in one listener. */
const ROUNDS = 12;

/**
 * Asks the same questions again. Where a shared name is answered by another certificate than is
 * expected, that one is committed again as it is, which brings its names behind the others'.
 */
export async function askAgain(
  parts: NodeSwapParts,
  { asked = [], around = [] }: Pick<SwapEntry, 'asked' | 'around'>,
  wanted: Wanted,
): Promise<readonly Answer[]> {
  const endMs = performance.now() + ALL_MS;
  for (let round = 0; ; round += 1) {
    const failed = new Map<string, unknown>();
    const shown = await askAll(parts, asked, failed);
    const answers = asked.map((question, at) => ({
      ...question,
      shown: shown[at] ?? null,
      failure: failed.get(question.listener) ?? null,
    }));
    if (round === ROUNDS || performance.now() > endMs) return answers;
    const hiding = new Set<string>();
    for (const answer of answers) {
      const expected = wanted.expected(answer);
      if (expected === null || answer.shown === null || answer.shown === expected) continue;
      const by =
        [...wanted.held].find(([, one]) => one === answer.shown)?.[0] ??
        around.find(({ fingerprint }) => fingerprint === answer.shown)?.path;
      if (by !== undefined && by !== answer.owner) hiding.add(by);
    }
    if (hiding.size === 0) return answers;
    for (const path of hiding) {
      const fingerprint = around.find((one) => one.path === path)?.fingerprint;
      const pem = wanted.pemOf(path) ?? (await ownText(parts, path, fingerprint));
      if (pem === null || !(await commitAgain(parts, path, pem))) return answers;
    }
  }
}

/** False where somebody else's transaction is open: it is theirs, and the order stays as it is. */
async function commitAgain(
  { haproxy }: NodeSwapParts,
  path: string,
  pem: string,
): Promise<boolean> {
  if ((await haproxy.openTransaction()) !== null) return false;
  await haproxy.stage(path, pem);
  await haproxy.commit(path);
  return true;
}

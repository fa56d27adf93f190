import { describe } from './describe.ts';
import { readDisk } from './disk.ts';
import type { Asked } from './entry.ts';
import { HandshakeError } from './handshake.ts';
import type { NodeSwapParts } from './port.ts';

/** All the handshakes of one step of a swap, ms: a step has ten seconds. */
export const ALL_MS = 4000;
const AT_ONCE = 8;
/** The bundle of a loaded certificate; null where its files are not what HAProxy has. */
export async function ownText(
  parts: NodeSwapParts,
  path: string,
  fingerprint: string | undefined,
): Promise<string | null> {
  try {
    const disk = describe((await readDisk(parts, path)).text);
    return disk !== null && disk.sha1 === fingerprint && disk.pem.includes('PRIVATE KEY')
      ? disk.pem
      : null;
  } catch {
    return null;
  }
}

/** Null: nothing was shown. A listener that does not answer at all is asked once only. */
export async function askAll(
  { ask }: NodeSwapParts,
  questions: readonly Pick<Asked, 'listener' | 'place' | 'servername' | 'keyType'>[],
  failed: Map<string, unknown>,
): Promise<(string | null)[]> {
  const answers: (string | null)[] = questions.map(() => null);
  const endMs = performance.now() + ALL_MS;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < questions.length; at = next++) {
      const question = questions[at];
      if (question === undefined || failed.has(question.listener)) continue;
      if (performance.now() > endMs) {
        failed.set(question.listener, new Error('there was no time left to ask it'));
        continue;
      }
      try {
        answers[at] = await ask(question.place, question.servername, question.keyType);
      } catch (error) {
        const alert = error instanceof HandshakeError && error.alert;
        // Of one with several names some may be answered: strict-sni refuses only the others.
        if (!alert || questions.length === 1) failed.set(question.listener, error);
        else refused.set(question.listener, error);
      }
    }
  };
  const refused = new Map<string, unknown>();
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  for (const [listener, error] of refused)
    if (!questions.some((one, at) => one.listener === listener && answers[at] !== null))
      failed.set(listener, error);
  return answers;
}

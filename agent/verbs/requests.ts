import { randomBytes } from 'node:crypto';
import type { ActHeader } from '../core/acts.ts';
import type { ActResult } from '../core/results.ts';
import { asFailure, result, type Pair } from './pair.ts';

/** How long the same request id gives the same result, ms. */
const KEEP_MS = 3600_000;

/**
 * Carries out acts once: the same request id within an hour gives the same
 * result, whoever asks and however often. An act that ends early with an
 * ActFailure is a result too, so a caller always gets an outcome.
 */
export function requests(pair: Pair) {
  const known = new Map<string, Promise<ActResult>>();
  return function once<A extends { readonly header: ActHeader }>(
    act: A,
    perform: (act: A) => Promise<ActResult>,
  ): Promise<ActResult> {
    const requestId = act.header.requestId === '' ? newRequestId() : act.header.requestId;
    // A dry run changes nothing: it is asked anew each time.
    const before = act.header.dryRun ? undefined : known.get(requestId);
    if (before !== undefined) return before;
    const startedAtMs = pair.clock.nowMs();
    const numbered = { ...act, header: { ...act.header, requestId } };
    const running = perform(numbered).catch((error: unknown): ActResult => {
      const { outcome, detail } = asFailure(error);
      return result(pair, numbered.header, startedAtMs, { outcome, error: detail });
    });
    if (!act.header.dryRun) {
      known.set(requestId, running);
      pair.clock.after(KEEP_MS, () => known.delete(requestId));
    }
    return running;
  };
}

const newRequestId = (): string => randomBytes(6).toString('hex');

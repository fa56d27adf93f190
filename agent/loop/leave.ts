import type { AddressReport, NodeReport, NodeView } from '../core/model.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../sys/clock.ts';

/** Longer than every move; short enough for a shutdown that waits ten seconds in all. */
const LEAVE_MS = 5000;

/** The loop as leaving uses it. */
export interface Leaving {
  leave(): void;
  report(): NodeReport | null;
  peers(): readonly NodeView[];
  onRound(listener: () => void): () => void;
}

/**
 * Gives every address of this host to others before it goes down. Resolves once
 * each is held elsewhere, at once where nobody is left to take one, and after
 * `limitMs` in any case: a shutdown is not stopped.
 */
export function leave(
  loop: Leaving,
  clock: Clock,
  log: Log,
  limitMs: number = LEAVE_MS,
): Promise<void> {
  const startMs = clock.nowMs();
  const left = new Set(heldIds(loop));
  loop.leave();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      unsubscribe();
      const still = heldIds(loop);
      const gone = [...left].filter((address) => !still.includes(address));
      const took = Math.round(clock.nowMs() - startMs);
      const said =
        still.length > 0
          ? `nobody took ${still.join(', ')}: it goes down with this host`
          : `left: ${gone.join(', ') || 'nothing was held here'}`;
      log.info('agent-left', { addresses: gone, still_here: still, took_ms: took }, said);
      resolve();
    };
    const look = (): void => {
      const heard = loop.peers().some(({ fresh }) => fresh);
      if (!heard || isOver(loop, left)) end();
    };
    const cancel = clock.after(limitMs, end);
    const unsubscribe = loop.onRound(look);
  });
}

/** Addresses whose MASTER is this host. */
export const held = (loop: Pick<Leaving, 'report'>): readonly AddressReport[] =>
  (loop.report()?.addresses ?? []).filter(({ state }) => state === 'MASTER');

const heldIds = (loop: Leaving): string[] => held(loop).map(({ address }) => address);

/** Not MASTER here, and where it was left, MASTER elsewhere: BACKUP alone may be a moment without any. */
function isOver(loop: Leaving, left: ReadonlySet<string>): boolean {
  if (loop.report()?.leaving !== true || held(loop).length > 0) return false;
  const elsewhere = loop
    .peers()
    .filter(({ fresh }) => fresh)
    .flatMap(({ report }) => report?.addresses ?? [])
    .filter(({ state }) => state === 'MASTER')
    .map(({ address }) => address);
  return [...left].every((address) => elsewhere.includes(address));
}

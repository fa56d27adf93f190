import { sentence } from './core/words.ts';
import type { HaproxyPart } from './haproxy-part.ts';
import type { Log } from './log.ts';
import type { Problems } from './problems.ts';
import type { Clock } from './sys/clock.ts';

const RETRY_MS = 5000;

/**
 * Brings swaps that a stop or a crash left open to their end, from the journal:
 * what had been verified stands, everything else is taken back. Tried again
 * while HAProxy cannot be asked.
 */
export function recoverSwaps(options: {
  readonly haproxy: HaproxyPart;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
}): { stop(): void } {
  const { haproxy, clock, log, problems } = options;
  let stopped = false;
  let cancel = (): void => {};

  async function attempt(): Promise<string> {
    const { swaps, damaged } = await haproxy.swap.recover();
    for (const { swapId, path, state, problem } of swaps) {
      if (state === 'committed') await haproxy.swap.finish(swapId);
      log.info('swap', { swap_id: swapId, path, phase: 'recovered', outcome: state }, problem);
    }
    if (swaps.length > 0) await haproxy.reread();
    const open = swaps.filter(({ state }) => state === 'unresolved');
    return [...open.map(({ problem }) => problem), ...damaged.map(({ message }) => message)].join(
      '; ',
    );
  }

  async function recover(): Promise<void> {
    const cause = await attempt().catch(sentence);
    if (cause === '') problems.clear('swap');
    else problems.raise('swap', cause, 'tried again every 5 s; proxyctl status');
    if (cause !== '' && !stopped) cancel = clock.after(RETRY_MS, () => void recover());
  }

  void recover();
  return {
    stop() {
      stopped = true;
      cancel();
    },
  };
}

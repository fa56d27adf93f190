import { sentence } from './core/words.ts';
import type { HaproxyPart } from './haproxy-part.ts';
import type { Log } from './log.ts';
import type { Problems } from './problems.ts';
import type { Clock } from './sys/clock.ts';

const RETRY_MS = 5000;

/**
 * Brings swaps that a stop or a crash left open to their end, from the journal:
 * what had been verified stands, everything else is taken back. Tried again
 * while HAProxy cannot be asked. `again`, when HAProxy is back, takes up what
 * could not be put back while it was away, and leaves a swap under way alone.
 */
export function recoverSwaps(options: {
  readonly haproxy: HaproxyPart;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
}): { again(): void; stop(): void } {
  const { haproxy, clock, log, problems } = options;
  let stopped = false;
  /** The journals of before this start have been brought to their end. */
  let clean = false;
  /** They have been looked at once. */
  let started = false;
  let cancel = (): void => {};

  async function attempt(onlyAborting: boolean): Promise<string> {
    const { swaps, damaged } = await haproxy.swap.recover(onlyAborting);
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

  async function recover(onlyAborting = false): Promise<void> {
    cancel();
    const cause = await attempt(onlyAborting).catch(sentence);
    if (!onlyAborting) clean = cause === '';
    started = true;
    if (cause === '') problems.clear('swap');
    else problems.raise('swap', cause, 'tried again every 5 s; proxyctl status');
    if (cause !== '' && !stopped) cancel = clock.after(RETRY_MS, () => void recover(onlyAborting));
  }

  void recover();
  return {
    again(): void {
      if (started && !stopped) void recover(clean);
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}

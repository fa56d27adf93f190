import { parseCertificateKey } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** Heartbeats compare what was decided ten times a second: what differs for so long does not get through. */
const DIFFERS_MS = 60_000;
const LOOK_MS = 10_000;

export interface SyncAlarmOptions {
  readonly node: string;
  readonly peers: readonly string[];
  /** Since when the peer's heartbeats tell of other decisions than ours, on the monotonic clock; null: they do not. */
  readonly differsSinceMs: (peer: string) => number | null;
  /** All that was decided, taken back or not. */
  readonly intents: () => readonly Intent[];
  readonly clock: Clock;
  readonly problems: Problems;
}

/** A problem for each peer that is heard and, for a minute, does not take what was decided here; looked at every 10 s. */
export function syncAlarms(options: SyncAlarmOptions): { stop(): void } {
  const { node, peers, clock, problems } = options;
  const raised = new Set<string>();
  let cancel = (): void => {};

  function look(): void {
    for (const peer of peers) {
      const since = options.differsSinceMs(peer);
      const subject = `sync ${peer}`;
      if (since === null) {
        if (raised.delete(subject)) problems.clear(subject);
      } else if (clock.nowMs() - since >= DIFFERS_MS && !raised.has(subject)) {
        raised.add(subject);
        problems.raise(
          subject,
          `${peer} does not confirm what was decided on ${node}${lastOf(options.intents())}`,
          `date on both hosts; proxyagent.log on ${peer}; there: service proxyagent restart`,
        );
      }
    }
    cancel = clock.after(LOOK_MS, look);
  }
  look();
  return { stop: () => cancel() };
}

/** The newest decision, which is the one most likely to be missed. */
function lastOf(intents: readonly Intent[]): string {
  const [last] = intents.toSorted((a, b) => b.stamp.wallMs - a.stamp.wallMs);
  if (last === undefined) return '';
  const name = parseCertificateKey(last.key);
  const what = name === null ? last.key.replace(/^(acme)\/.*/s, '$1') : `certificate ${name}`;
  return `; the last: ${what}, by ${last.actor}`;
}

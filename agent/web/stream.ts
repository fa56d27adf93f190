import type { ServerResponse } from 'node:http';
import type { Clock } from '../sys/clock.ts';
import type { Parts } from './page.ts';

/** So many may watch at once; more get the page, and no changes. */
export const MOST_WATCHERS = 16;
/** What has changed goes out that often, ms. */
const EVERY_MS = 1000;
/** Who does not take what was written within this is cut off, ms. */
const SLOW_MS = 5000;

interface Watcher {
  readonly response: ServerResponse;
  /** What it has, by part. */
  sent: Parts;
  /** Since when it has not taken what was written; null: it has. */
  behindSinceMs: number | null;
}

/**
 * Server-sent events to all who watch: the parts that have changed, each second, made once for all
 * of them and only while there is one. A watcher that reads slowly misses what was in between.
 */
export function watching(
  clock: Clock,
  parts: () => Parts,
): {
  /** False: there are too many. */
  add(response: ServerResponse): boolean;
  close(): void;
} {
  const watchers = new Set<Watcher>();
  let cancel: (() => void) | null = null;
  let closed = false;

  function tick(): void {
    try {
      const now = parts();
      for (const watcher of watchers) tell(watcher, now);
    } catch {
      // A page that cannot be made must not end the agent; who asks for it anew reads why.
      for (const { response } of watchers) response.destroy();
    }
    if (closed || watchers.size === 0) cancel = null;
    else cancel = clock.after(EVERY_MS, tick);
  }

  function tell(watcher: Watcher, now: Parts): void {
    const { response, behindSinceMs } = watcher;
    if (behindSinceMs !== null) {
      if (clock.nowMs() - behindSinceMs >= SLOW_MS) response.destroy();
      return;
    }
    const changed = [...now].filter(([id, text]) => watcher.sent.get(id) !== text);
    watcher.sent = now;
    // A line that says nothing keeps proxies in between from thinking that it has ended.
    const text =
      changed.length === 0 ? ':\n\n' : `data: ${JSON.stringify(Object.fromEntries(changed))}\n\n`;
    if (!response.write(text)) watcher.behindSinceMs = clock.nowMs();
  }

  return {
    add(response) {
      if (closed || watchers.size >= MOST_WATCHERS) return false;
      const watcher: Watcher = { response, sent: new Map(), behindSinceMs: null };
      watchers.add(watcher);
      // Who takes nothing is cut off below: that nothing is said for a while is no reason.
      response.setTimeout(0);
      response.on('drain', () => (watcher.behindSinceMs = null));
      response.on('close', () => watchers.delete(watcher));
      response.on('error', () => response.destroy());
      // With the others of this second where there are some: nobody makes it busier by coming often.
      cancel ??= clock.after(0, tick);
      return true;
    },
    close() {
      closed = true;
      cancel?.();
      for (const { response } of watchers) response.destroy();
    },
  };
}
